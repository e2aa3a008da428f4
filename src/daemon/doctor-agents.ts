import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createNodeFiles } from "../adapters/node-files.ts";
import { createNodeProcesses } from "../adapters/node-processes.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { isWithin, versionIn, type VersionRange } from "../domain/agent-program/version.ts";
import { KINDS } from "../kinds/index.ts";
import type { AgentPoolSpec } from "../kinds/agent-pool/agent-pool.schema.ts";
import type { ProviderSpec } from "../kinds/provider/provider.schema.ts";
import { MANIFESTS, readSourceOnDisk } from "../manifests/read-source.ts";
import type { Finding } from "./finding.ts";
import { isProgram } from "./installed-agents.ts";

const ASK_MS = 20_000;

interface Provider {
  readonly name: string;
  readonly spec: ProviderSpec;
  /** A pool of the town names it. */
  readonly used: boolean;
}

export interface AgentChecks {
  /** Directory of the manifests that come with the program. */
  readonly builtinDirectory: string;
  /** Root of the town, where there is one. */
  readonly town: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The agent programs on the PATH: version against what passed the conformance test, and whether somebody is logged in;
 * and those that a pool of the town needs and that are not there. Each program is run twice, at most 20 s a time.
 */
export async function agentFindings(checks: AgentChecks): Promise<readonly Finding[]> {
  const path = checks.env["PATH"] ?? "";
  const providers = (await providersOf(checks)).filter(({ spec }) => !/^\{\w+\}$/.test(spec.command[0] ?? ""));
  const found = await Promise.all(
    providers.map(async (provider) => {
      const program = programOn(path, provider.spec.command[0] ?? "");
      if (program !== undefined) return await examined(provider, program, checks.env);
      return provider.used ? [missing(provider)] : [];
    }),
  );
  const findings = found.flat();
  return findings.length > 0
    ? findings
    : [
        {
          check: "agents",
          state: "Warning",
          message: "no agent program on the PATH",
          fix: "only the shell provider works; install claude, codex or another",
        },
      ];
}

/** Those that come with Town, under those that the town declares itself. Manifests that cannot be read are for `validate`. */
async function providersOf({ builtinDirectory, town }: AgentChecks): Promise<readonly Provider[]> {
  const read = async (root: string, directory: string) =>
    (await readSourceOnDisk(createNodeFiles(), systemClock, root, { kinds: KINDS, locals: new Map(), directory }))
      .objects;
  const own = town === undefined ? [] : await read(town, MANIFESTS);
  const used = new Set(
    own.flatMap(({ key, spec }) => (key.kind === "AgentPool" ? [(spec as unknown as AgentPoolSpec).provider] : [])),
  );
  const specs = new Map<string, ProviderSpec>();
  for (const { key, spec } of [...(await read(builtinDirectory, "")), ...own])
    if (key.kind === "Provider") specs.set(key.name, spec as unknown as ProviderSpec);
  return [...specs].map(([name, spec]) => ({ name, spec, used: used.has(name) }));
}

function programOn(path: string, command: string): string | undefined {
  if (command.startsWith("/")) return isProgram(command) ? command : undefined;
  return path
    .split(delimiter)
    .filter((directory) => directory.startsWith("/"))
    .map((directory) => join(directory, command))
    .find(isProgram);
}

function missing({ name, spec }: Provider): Finding {
  return {
    check: `agent ${name}`,
    state: "Warning",
    message: `a pool of this town needs ${spec.command[0] ?? ""}, which is not on the PATH`,
    fix: spec.install === undefined ? "install it" : `install it: ${spec.install}`,
  };
}

async function examined(
  { name, spec }: Provider,
  program: string,
  env: AgentChecks["env"],
): Promise<readonly Finding[]> {
  const check = `agent ${name}`;
  const ask = async (args: readonly string[], home: string) => {
    const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >;
    return await createNodeProcesses()
      .run(program, [...spec.command.slice(1), ...args], {
        cwd: home,
        env: { ...given, HOME: home },
        timeoutMs: ASK_MS,
      })
      .catch(() => undefined);
  };
  // A home of its own: what a program writes at its first start is not left in anybody's.
  const home = await mkdtemp(join(tmpdir(), "town-doctor-"));
  try {
    const asked = await ask(spec.version.args, home);
    const version = asked?.exitCode === 0 ? versionIn(asked.output) : undefined;
    const findings = [versionFinding({ check, name, program, version }, spec.version.tested)];
    if (spec.login === undefined) return findings;
    const login = await ask(spec.login.statusArgs, env["HOME"] ?? homedir());
    if (login?.exitCode === undefined || login.exitCode === 0) return findings;
    return [...findings, { check, state: "Warning", message: `nobody is logged in`, fix: spec.login.hint }];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function versionFinding(
  of: { readonly check: string; readonly name: string; readonly program: string; readonly version: string | undefined },
  tested: VersionRange | undefined,
): Finding {
  const { check, name, program, version } = of;
  if (version === undefined)
    return { check, state: "Warning", message: `${program} does not tell its version`, fix: `${program} --version` };
  if (tested !== undefined && isWithin(version, tested))
    return { check, state: "Ok", message: `${version} at ${program}` };
  const known = tested === undefined ? "no version was" : `${tested.from} to ${tested.to} was`;
  return {
    check,
    state: "Warning",
    message: `${version} at ${program} was not tested with this version of Town (${known})`,
    fix: `see whether it works here: town provider test ${name}`,
  };
}
