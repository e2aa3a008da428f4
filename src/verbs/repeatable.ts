import { z } from "zod";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { WorkGraph } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { Verb, VerbRequest, VerbResult } from "../resource/verb.ts";
import { authorOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";

type Named = NonNullable<Parameters<WorkGraph["transact"]>[2]>;

/** Names for the transactions of one call; empty for a caller that does not name its requests. */
export interface Once {
  /** For the transaction whose answer is the verb's own: made again, the call is answered with it and does nothing else. */
  readonly whole: Named;
  /** For one of several transactions, by what it is about: `bead/api-x1`. Made again, it gives its first answer. */
  part(about: string): Named;
}

/** A verb that is told how to name its transactions. */
export interface RepeatableVerb extends Omit<Verb, "run"> {
  run(request: VerbRequest, once: Once): Promise<VerbResult>;
}

const naming = z.object({ request: z.string().min(8).max(100).optional() });

/**
 * A verb whose call may be made again with the same `request` when its answer was lost: what it had changed by then is
 * not changed again, what it had not is. Guarantee: one change per request and store, over any crash of the town; across
 * stores the call made again goes on where it stopped.
 */
export function repeatable(ports: Pick<LoopPorts, "graphs">, verb: RepeatableVerb): Verb {
  const { name, summary, needs } = verb;
  return {
    name,
    summary,
    needs,
    async run({ caller, args, signal }) {
      const { request, ...rest } = args;
      const once = onceFor(name, caller, argumentsOf(name, naming, { request }).request);
      return answered(once, ports) ?? (await verb.run({ caller, args: rest, signal }, once));
    },
  };
}

/** `request` is the caller's own: nobody else's call has its name. */
export function onceFor(verb: string, caller: Caller, request: string | undefined): Once {
  if (request === undefined) return { whole: {}, part: () => ({}) };
  const { actor, session = "" } = authorOf(caller);
  const requestId = `${verb}/${actor}/${session}/${request}`;
  return { whole: { requestId }, part: (about) => ({ requestId: `${requestId}/${about}` }) };
}

function answered({ whole: { requestId } }: Once, { graphs }: Pick<LoopPorts, "graphs">): VerbResult | undefined {
  if (requestId === undefined) return undefined;
  for (const graph of graphs.all()) {
    const former = graph.answerOf(requestId);
    if (former !== undefined) return former.answer as VerbResult;
  }
  return undefined;
}
