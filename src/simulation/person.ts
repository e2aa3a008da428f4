import type { VerbResult } from "../resource/verb.ts";
import type { TownWorld } from "./town-world.ts";

const WAIT_MS = 500;
const WAITS = 80;

/**
 * What a person is answered, while time goes on; undefined when there is no controller, it refuses, or it has not answered
 * within 40 s.
 */
export async function saidByPerson(
  town: TownWorld,
  verb: string,
  args: Readonly<Record<string, unknown>>,
): Promise<VerbResult | undefined> {
  let outcome: { readonly result: VerbResult | undefined } | undefined;
  void askedByPerson(town, verb, args)?.then(
    (result) => {
      outcome = { result };
    },
    () => {
      outcome = { result: undefined };
    },
  );
  for (let waited = 0; waited < WAITS && outcome === undefined && !town.controller.life.dead; waited += 1)
    await town.clock.advance(WAIT_MS);
  return outcome?.result;
}

/** The call alone; undefined when there is no controller. */
export function askedByPerson(
  town: TownWorld,
  verb: string,
  args: Readonly<Record<string, unknown>>,
): Promise<VerbResult> | undefined {
  if (town.controller.life.dead) return undefined;
  return town.controller.verbs
    .get(verb)
    ?.run({ caller: { name: "overseer", role: "admin" }, args, signal: new AbortController().signal });
}
