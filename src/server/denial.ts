import type { Events } from "../ports/objects.ts";
import type { Caller } from "../resource/caller.ts";

const MOST_CHARACTERS = 500;

/** What an agent's role did not let it do is kept with the agent, for whoever wonders why it stopped. People are told only. */
export function noteDenial(caller: Caller, message: string, events: Events): void {
  if (caller.session === undefined) return;
  const { namespace, agent: name } = caller.session;
  events.record(
    { kind: "Agent", namespace, name },
    { type: "Warning", reason: "Denied", message: message.slice(0, MOST_CHARACTERS), actor: caller.name },
  );
}
