import { TownError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import { SECRET_NAME, secretFile } from "./secrets.ts";

export interface EnvironmentEntry {
  readonly name: string;
  readonly value?: string | undefined;
  readonly valueFrom?:
    | {
        readonly file?: string | undefined;
        readonly command?: readonly string[] | undefined;
        readonly secretRef?: { readonly name: string } | undefined;
      }
    | undefined;
}

const COMMAND_TIMEOUT_MS = 30_000;

/**
 * Variables of a session, later lists over earlier ones. Values from files, commands and secrets are read now and reach the
 * program through a file that only this user can read; they are in no argument, event or log. Throws TownError
 * `EnvironmentUnavailable` naming the variable and its source, never its value.
 */
export async function resolveEnvironment(
  lists: readonly (readonly EnvironmentEntry[] | undefined)[],
  ports: Pick<LoopPorts, "files" | "processes" | "layout" | "sessionPath">,
): Promise<Record<string, string>> {
  const entries = new Map(lists.flatMap((list) => (list ?? []).map((entry) => [entry.name, entry] as const)));
  const resolved: Record<string, string> = {};
  for (const [name, entry] of entries) {
    if (entry.value !== undefined) resolved[name] = entry.value;
    else if (entry.valueFrom?.file !== undefined) resolved[name] = await fromFile(name, entry.valueFrom.file, ports);
    else if (entry.valueFrom?.command !== undefined)
      resolved[name] = await fromCommand(name, entry.valueFrom.command, ports);
    else if (entry.valueFrom?.secretRef !== undefined)
      resolved[name] = await fromSecret(name, entry.valueFrom.secretRef.name, ports);
  }
  return resolved;
}

/** The environment with git told to run the hooks of agent sessions, after what it was told already (git-config(1)). */
export function withGitHooks(env: Readonly<Record<string, string>>, directory: string): Record<string, string> {
  const told = Number(env["GIT_CONFIG_COUNT"] ?? "0");
  const at = Number.isInteger(told) && told > 0 ? told : 0;
  return {
    ...env,
    GIT_CONFIG_COUNT: String(at + 1),
    [`GIT_CONFIG_KEY_${at}`]: "core.hooksPath",
    [`GIT_CONFIG_VALUE_${at}`]: directory,
  };
}

async function fromFile(name: string, path: string, ports: Pick<LoopPorts, "files" | "layout">): Promise<string> {
  const full = path.startsWith("/") ? path : `${ports.layout.root}/${path}`;
  const text = await ports.files.readText(full);
  if (text === undefined)
    throw new TownError("EnvironmentUnavailable", `variable ${name}: there is no file ${full}`, {
      hint: "create it, or correct valueFrom.file",
    });
  return text.replace(/\n$/, "");
}

async function fromSecret(name: string, secret: string, ports: Pick<LoopPorts, "files" | "layout">): Promise<string> {
  const text = SECRET_NAME.test(secret) ? await ports.files.readText(secretFile(ports.layout, secret)) : undefined;
  if (text !== undefined) return text;
  throw new TownError("EnvironmentUnavailable", `variable ${name}: there is no secret ${secret}`, {
    hint: `town secret set ${secret} < FILE, or correct valueFrom.secretRef`,
  });
}

async function fromCommand(
  name: string,
  command: readonly string[],
  ports: Pick<LoopPorts, "processes" | "layout" | "sessionPath">,
): Promise<string> {
  const [program = "", ...args] = command;
  const result = await ports.processes.run(program, args, {
    cwd: ports.layout.root,
    env: { PATH: ports.sessionPath, HOME: ports.layout.root, LANG: "C.UTF-8" },
    timeoutMs: COMMAND_TIMEOUT_MS,
  });
  if (result.exitCode !== 0) {
    const how = result.timedOut
      ? `did not end within ${COMMAND_TIMEOUT_MS / 1000} s`
      : `ended with ${result.exitCode ?? result.signal ?? "no exit code"}`;
    throw new TownError("EnvironmentUnavailable", `variable ${name}: ${program} ${how}`, {
      hint: "run it by hand, or correct valueFrom.command",
    });
  }
  return result.output.replace(/\n$/, "");
}
