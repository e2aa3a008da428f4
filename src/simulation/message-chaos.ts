import { broken } from "./invariant.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { saidByPerson } from "./person.ts";
import type { TownWorld } from "./town-world.ts";

/** Does one thing to the town; answers what, or undefined when there was nothing to do it to. */
export type SimulatedFault = (town: TownWorld, random: SeededRandom) => Promise<string | undefined>;

/** A person writes to an agent that is there all the time, or to one that comes and goes. */
export const LETTERS: readonly SimulatedFault[] = [letterTo("crew"), letterTo("polecat")];

/** A request without an answer is made again, as the same one; when there is no controller, later. */
function letterTo(role: string): SimulatedFault {
  return async (town, random) => {
    const found = (await town.sessions.observe()).sessions.filter((session) => session.role === role);
    const agent = found[random.below(Math.max(1, found.length))]?.agent;
    if (agent === undefined) return undefined;
    const text = `message ${town.written.length + 1} for ${agent}`;
    for (let tries = 0; tries < 3; tries += 1) {
      const sent = await saidByPerson(town, "nudge", { agent: `api/${agent}`, text, request: text });
      if (sent === undefined) continue;
      town.written.push({ agent, subject: text });
      return `nudge to ${agent}`;
    }
    return `nudge to ${agent} without an answer`;
  };
}

/**
 * At least once, applied once by sequence: what comes unmarked came to nobody before and comes in order; a session that
 * said it was shown a message is not handed it again; a later session is, marked.
 */
export function checkMessages(town: TownWorld): void {
  const shown = new Set<string>();
  const receipted = new Set<string>();
  const newest = new Map<string, number>();
  for (const { agent, subject, seq, generation, again, event } of town.handed) {
    const delivery = `${subject}@${generation}`;
    if (event === "Receipted") {
      receipted.add(delivery);
      continue;
    }
    if (receipted.has(delivery)) throw broken(`"${subject}" was handed to generation ${generation} after its receipt`);
    // Who was handed it before may have died before it heard the answer; then it comes marked without having been seen.
    if (!again && shown.has(subject)) throw broken(`"${subject}" came to generation ${generation} again, unmarked`);
    if (!again && seq <= (newest.get(agent) ?? 0)) throw broken(`"${subject}" came to ${agent} after a later message`);
    shown.add(subject);
    if (!again) newest.set(agent, seq);
  }
}

/** The messages to running agents of a role that no session of theirs was handed. */
export function unheard(town: TownWorld, agents: ReadonlySet<string>): readonly string[] {
  const heard = new Set(town.handed.map((message) => message.subject));
  return town.written
    .filter(({ agent, subject }) => agents.has(agent) && !heard.has(subject))
    .map(({ subject }) => subject);
}
