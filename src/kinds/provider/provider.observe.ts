import { versionIn } from "../../domain/agent-program/version.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import type { ProviderSpec, ProviderStatus } from "./provider.schema.ts";

export type ProviderObject = TownObject<ProviderSpec, ProviderStatus>;

/** The program as it is on this machine. */
export type ProgramSight =
  /** Comes with Town. */
  | { readonly state: "Shipped" }
  | { readonly state: "Missing"; readonly command: string }
  | {
      readonly state: "Found";
      readonly path: string;
      /** Changes when the file does; the program is asked for its version once for each. */
      readonly fingerprint: string;
      /** Undefined when it did not tell. */
      readonly version: string | undefined;
    };

const VERSION_TIMEOUT_MS = 20_000;

export interface ProviderObserved {
  readonly now: number;
  readonly program: ProgramSight;
}

export async function observeProvider(object: ProviderObject, ports: LoopPorts): Promise<ProviderObserved> {
  return { program: await programSight(object, ports), now: ports.clock.now() };
}

/** Finds the program as a session would. It is run only when its file is another one than last time. */
async function programSight(object: ProviderObject, ports: LoopPorts): Promise<ProgramSight> {
  const [command = ""] = object.spec.command;
  if (/^\{\w+\}$/.test(command)) return { state: "Shipped" };
  const found = await programFile(command, ports);
  if (found === undefined) return { state: "Missing", command };
  const { status } = object;
  if (status?.fingerprint === found.fingerprint) return { state: "Found", ...found, version: status.version };
  return { state: "Found", ...found, version: await versionOf(object, found.path, ports) };
}

async function programFile(
  command: string,
  ports: LoopPorts,
): Promise<{ readonly path: string; readonly fingerprint: string } | undefined> {
  const candidates = command.includes("/")
    ? [command]
    : ports.sessionPath.split(":").map((directory) => `${directory}/${command}`);
  for (const path of candidates.filter((candidate) => candidate.startsWith("/"))) {
    const real = await ports.files.realPath(path);
    const stat = real === undefined ? undefined : await ports.files.stat(real);
    if (stat?.kind !== "File" || (stat.mode & 0o111) === 0) continue;
    return { path, fingerprint: `${real ?? path} ${stat.size} ${Math.round(stat.modifiedMs)}` };
  }
  return undefined;
}

async function versionOf(object: ProviderObject, path: string, ports: LoopPorts): Promise<string | undefined> {
  // A home of its own: what it writes at its first start is not left in anybody's.
  const home = `${ports.layout.state}/probe`;
  await ports.files.makeDirectory(home, { mode: 0o700 });
  const args = [...object.spec.command.slice(1), ...object.spec.version.args];
  const result = await ports.processes.run(path, args, {
    cwd: home,
    env: { PATH: ports.sessionPath, HOME: home, LANG: "C.UTF-8" },
    timeoutMs: VERSION_TIMEOUT_MS,
  });
  await ports.files.removeTree(home);
  return result.exitCode === 0 ? versionIn(result.output) : undefined;
}
