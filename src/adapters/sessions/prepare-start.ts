import { AdapterError, messageOf, TownError } from "../../errors/town-error.ts";
import type { SessionStart } from "../../ports/sessions.ts";
import { programPath } from "../program-path.ts";
import { baseEnvironment } from "./base-environment.ts";
import type { SessionFiles } from "./session-files.ts";
import { MARK_VARIABLE } from "./session-processes.ts";
import { shimScript } from "./shim.ts";

export interface ShimSetup {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Set on top of the base environment, below the start's own. */
  readonly extra: Readonly<Record<string, string>>;
  readonly mark: string;
  readonly outputTo?: readonly string[];
}

/**
 * Checks that the program can be run at all, so that a wrong command is an error here and not a session that dies, and
 * writes its shim. Returns the shim's path. Throws AdapterError `SessionStartFailed`.
 */
export async function writeShim(start: SessionStart, files: SessionFiles, setup: ShimSetup): Promise<string> {
  const env: Readonly<Record<string, string>> = {
    ...baseEnvironment(setup.environment),
    ...setup.extra,
    ...start.env,
    [MARK_VARIABLE]: setup.mark,
  };
  const wrong = Object.keys(env).find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (wrong !== undefined) throw startFailed(start, `'${wrong}' is no name of an environment variable`);
  if ([...start.argv, ...Object.values(env), start.cwd].some((text) => text.includes("\0"))) {
    throw startFailed(start, "its command or environment holds a NUL character");
  }
  const [command, ...args] = start.argv;
  if (command === undefined || command === "") throw startFailed(start, "it has no command");
  const program = await programPath(command, { cwd: start.cwd, path: env["PATH"] }).catch((cause: unknown) => {
    throw startFailed(start, messageOf(cause), cause);
  });
  const path = files.shimPath(start.name, start.generation);
  const script = shimScript({
    argv: [program, ...args],
    cwd: start.cwd,
    env,
    exitPath: files.exitPath(start.name, start.generation),
    ...(setup.outputTo === undefined ? {} : { outputTo: setup.outputTo }),
  });
  await files.write(path, script, 0o600);
  return path;
}

/** Takes the hint of its cause. */
export function startFailed(start: SessionStart, why: string, cause?: unknown): AdapterError {
  const message = `Cannot start session ${start.name} (generation ${start.generation}): ${why}`;
  const hint = cause instanceof TownError ? cause.hint : undefined;
  return new AdapterError("SessionStartFailed", message, { ...(hint === undefined ? {} : { hint }), cause });
}
