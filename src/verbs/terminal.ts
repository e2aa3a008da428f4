import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb } from "../resource/verb.ts";
import { agentNamed } from "../work/agent-address.ts";
import { argumentsOf } from "./arguments.ts";

type SessionObject = TownObject<{
  readonly agent: string;
  readonly runtimeName: string;
  readonly generation: number;
  readonly [key: string]: unknown;
}>;

const attachArguments = z.strictObject({ agent: z.string().min(1), readOnly: z.boolean().default(false) });
const peekArguments = z.strictObject({ agent: z.string().min(1), lines: z.int().min(1).max(10_000).default(50) });

/** `town attach AGENT`: answers with the command that a person's terminal runs. */
export function attachVerb(ports: LoopPorts): Verb {
  return {
    name: "attach",
    summary: "the command that attaches a terminal to an agent's session",
    needs: "edit",
    run({ args }) {
      const options = argumentsOf("attach", attachArguments, args);
      const session = sessionNamed(options.agent, ports);
      const command = ports.sessions.attachCommand(session.spec.runtimeName);
      if (command === undefined)
        throw new ApiStatusError(
          409,
          "NoTerminal",
          `sessions of the ${ports.sessions.runtime} runtime have no terminal`,
          { hint: `town peek ${options.agent}` },
        );
      return Promise.resolve({
        text: command.join(" "),
        data: { command: options.readOnly ? [...command, "-r"] : command },
      });
    },
  };
}

const tmuxArguments = z.strictObject({ argv: z.array(z.string().max(10_000)).max(1_000).default([]) });

/** `town tmux …`: answers with the command that reaches the town's own server; without arguments one that attaches. */
export function tmuxVerb(ports: LoopPorts): Verb {
  return {
    name: "tmux",
    summary: "the command that runs tmux on the town's own server",
    needs: "edit",
    run({ args }) {
      const { argv } = argumentsOf("tmux", tmuxArguments, args);
      const command = ports.sessions.command(argv.length === 0 ? ["attach-session"] : argv);
      if (command === undefined)
        throw new ApiStatusError(
          409,
          "NoTerminal",
          `this town's agents run as ${ports.sessions.runtime}, not in tmux`,
          { hint: "town get sessions" },
        );
      return Promise.resolve({ text: command.join(" "), data: { command } });
    },
  };
}

/** `town peek AGENT`: the last lines of its screen. */
export function peekVerb(ports: LoopPorts): Verb {
  return {
    name: "peek",
    summary: "the last lines of an agent's screen",
    needs: "view",
    async run({ args }) {
      const options = argumentsOf("peek", peekArguments, args);
      const session = sessionNamed(options.agent, ports);
      const text = await ports.sessions.capture(session.spec.runtimeName, options.lines);
      if (text === undefined)
        throw new ApiStatusError(404, "NotFound", `the session of ${options.agent} is gone`, {
          hint: "town get sessions",
        });
      return {
        text,
        data: { agent: session.spec.agent, generation: session.spec.generation, lines: text.split("\n") },
      };
    },
  };
}

/** The session of the agent that a text means. Throws 404, or 409 when several are meant equally. */
function sessionNamed(text: string, ports: LoopPorts): SessionObject {
  const { namespace, name, identity } = agentNamed(text, ports);
  const session = ports.objects.get({ kind: "Session", namespace, name });
  if (session === undefined)
    throw new ApiStatusError(404, "NoSession", `${identity} has no session now`, {
      hint: `town describe agent ${name} -n ${namespace}`,
    });
  return session as unknown as SessionObject;
}
