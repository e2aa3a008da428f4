import { META } from "../domain/work-graph/bead.ts";
import type { SimulatedFault } from "./message-chaos.ts";
import { askedByPerson, saidByPerson } from "./person.ts";
import type { TownWorld } from "./town-world.ts";

const LONGEST_STAY_MS = 60_000;

/** How a program that joined goes: its person says so, or it is just gone. */
export type Parting = "Leaves" | "Vanishes";

/** A person's own program takes an identity and some work; one in twenty is never heard of again. */
export const GUESTS: SimulatedFault = async (town, random) => {
  const stayMs = 1 + random.below(LONGEST_STAY_MS);
  const parting = random.below(20) === 0 ? "Vanishes" : "Leaves";
  const name = await guest(town, `guest-${random.below(3)}`, stayMs, parting);
  return name === undefined ? undefined : `${name} joined and ${parting.toLowerCase()} after ${stayMs} ms`;
};

/** Joins, is given a ready bead if there is one, and works until it goes. Answers with its name unless it was refused. */
export async function guest(
  town: TownWorld,
  name: string,
  stayMs: number,
  parting: Parting,
): Promise<string | undefined> {
  const joined = await saidByPerson(town, "join", { agent: name, rig: "api" });
  if (joined === undefined) return undefined;
  const { agent, generation, sandbox } = joined.data as {
    readonly agent: string;
    readonly generation: number;
    readonly sandbox: string;
  };
  const bead = readyItem(town);
  if (bead !== undefined) await saidByPerson(town, "hook", { agent, bead });
  const ending = new AbortController();
  const start = {
    name: `joined-${name}`,
    namespace: "api",
    agent: name,
    role: "crew",
    generation,
    cwd: sandbox,
    argv: [],
    env: { TOWN_AGENT: agent },
  };
  // Nobody types into it and nobody reads its screen.
  const terminal = { print: () => undefined, exit: () => undefined, setTitle: () => undefined };
  const ended = new Promise<undefined>((resolve) =>
    ending.signal.addEventListener("abort", () => resolve(undefined), { once: true }),
  );
  const readLine = (): Promise<undefined> => ended;
  // It may crash over an answer it did not expect; its person leaves all the same.
  void town.guest({ ...terminal, start, signal: ending.signal, readLine }).catch(() => undefined);
  void town.clock.sleep(stayMs).then(async () => {
    ending.abort();
    if (parting === "Leaves")
      await askedByPerson(town, "join", { agent, leave: true, force: true })?.catch(() => undefined);
  });
  return agent;
}

/** A bead of the convoy that nobody has yet. */
function readyItem(town: TownWorld): string | undefined {
  const graph = town.controller.ports.graphs.graph("api");
  return graph?.list({ status: ["open"] }).find(({ id, assignee, metadata }) => {
    const key = metadata?.[META.key];
    return assignee === undefined && typeof key === "string" && key.startsWith("convoy/") && !graph.isBlocked(id);
  })?.id;
}
