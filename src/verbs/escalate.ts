import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { hookOf } from "../work/agent-record.ts";
import { raiseEscalation, SEVERITIES } from "../work/escalation.ts";
import { plain } from "../work/message-text.ts";
import { checkFence, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { missingBead } from "./missing-bead.ts";
import { townGraph } from "./recipient.ts";
import { repeatable } from "./repeatable.ts";

const escalateArguments = z.strictObject({
  message: z.string().max(100_000).default(""),
  severity: z.enum(SEVERITIES).default("medium"),
  bead: z.string().optional(),
});

/**
 * `town escalate TEXT`: puts something before a person, as an Escalation in the caller's namespace. A session's is about
 * what is on its hook unless it says otherwise.
 */
export function escalateVerb(ports: LoopPorts): Verb {
  return repeatable(ports, {
    name: "escalate",
    summary: "ask a person to decide",
    needs: "agent",
    async run({ caller, args }, once) {
      const options = argumentsOf("escalate", escalateArguments, args);
      const text = plain(options.message).trim();
      if (text === "")
        throw new ApiStatusError(400, "BadRequest", "town escalate: say what a person is to decide", {
          hint: 'town escalate "…" --severity high',
        });
      const session = caller.session === undefined ? undefined : sessionOf("escalate", caller, ports);
      if (options.bead !== undefined && ports.graphs.graphOf(options.bead)?.get(options.bead) === undefined)
        throw missingBead(options.bead, ports);
      const graph = session?.graph ?? townGraph(ports);
      const work = (tx: GraphTransaction): VerbResult => {
        if (session !== undefined) checkFence(tx, session.name, session.generation);
        const bead = options.bead ?? (session === undefined ? undefined : hookOf(tx, session.identity)?.id);
        const { id } = raiseEscalation(tx, {
          title: (text.split("\n")[0] ?? "").slice(0, 200),
          text,
          severity: options.severity,
          ...(bead === undefined ? {} : { bead }),
          ...(session === undefined ? {} : { agent: session.identity }),
        });
        return { text: `${id} waits for a person (${options.severity})`, data: { id, severity: options.severity } };
      };
      return graph.transact(session?.author ?? { actor: caller.name }, work, once.whole);
    },
  });
}
