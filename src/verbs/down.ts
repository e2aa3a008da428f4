import { z } from "zod";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Verb } from "../resource/verb.ts";
import { argumentsOf } from "./arguments.ts";
import { counted } from "../domain/text/counted.ts";

const downArguments = z.strictObject({ sessions: z.boolean().default(false) });
const GRACE_MS = 2_000;

/** `town down --sessions`: stops the loops, then ends every agent's session. The process itself is ended by the CLI. */
export function downVerb(ports: LoopPorts, stopLoops: () => Promise<void>): Verb {
  return {
    name: "down",
    summary: "prepare the end of the controller; with sessions, end the agents' sessions first",
    needs: "admin",
    async run({ args }) {
      const options = argumentsOf("down", downArguments, args);
      if (!options.sessions) return { text: "" };
      await stopLoops();
      const observation = await ports.sessions.observe();
      await Promise.all(
        observation.sessions.map((session) =>
          ports.sessions.stop(session.name, session.generation, { graceMs: GRACE_MS }),
        ),
      );
      return {
        text: `ended ${counted(observation.sessions.length, "session")}`,
        data: { sessions: observation.sessions.map((session) => session.name) },
      };
    },
  };
}
