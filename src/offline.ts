import { currentDirectory } from "./cli/current-directory.ts";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { NodeGit } from "./adapters/git/node-git.ts";
import { createNodeFiles } from "./adapters/node-files.ts";
import { createNodeProcesses } from "./adapters/node-processes.ts";
import { nodeRandom } from "./adapters/node-random.ts";
import { systemClock } from "./adapters/system-clock.ts";
import { messageOf, type TownError } from "./errors/town-error.ts";
import type { Git } from "./ports/git.ts";

interface Streams {
  out(text: string): void;
  err(text: string): void;
  readonly outIsTerminal?: boolean;
  readonly columns?: number | undefined;
}

type Arguments = Readonly<Record<string, unknown>>;

const templates = fileURLToPath(new URL("../manifests", import.meta.url));

/**
 * Verbs that need no daemon. Returns the exit code; errors are printed. What one verb alone needs is loaded with it: a
 * hundred modules more cost a `bd` command as much time as all of its work.
 */
export async function runOffline(verb: string, args: Arguments, streams: Streams): Promise<number> {
  const git = new NodeGit({ owners: createNodeProcesses(), remembersIn: cacheDirectory(process.env) });
  try {
    switch (verb) {
      case "init":
        return await init(args, git, streams);
      case "validate":
        return await validate(args, git, streams);
      case "diff":
        return await diff(args, git, streams);
      case "doctor":
        return await (await import("./daemon/doctor.ts")).runDoctor(
          {
            cwd: textOf(args, "town") ?? textOf(args, "cwd") ?? currentDirectory(),
            json: args["output"] === "json",
            env: process.env,
            builtinDirectory: join(templates, "builtin"),
          },
          git,
          streams,
        );
      case "formula":
        return await formula(args, git, streams);
      case "bd":
        return await bd(args, git, streams);
      default:
        streams.err(`town ${verb} needs the daemon: town up -d\n`);
        return 6;
    }
  } catch (error) {
    const hint = isTownError(error) && error.hint !== undefined ? `\n  ${error.hint}` : "";
    streams.err(`Error: ${messageOf(error)}${hint}\n`);
    return 1;
  } finally {
    await git.close();
  }
}

/** Where a user's programs keep what can be found out again (XDG base directories); undefined: nowhere. */
function cacheDirectory({ XDG_CACHE_HOME: given, HOME: home }: NodeJS.ProcessEnv): string | undefined {
  const base =
    given?.startsWith("/") === true ? given : home?.startsWith("/") === true ? join(home, ".cache") : undefined;
  return base === undefined ? undefined : join(base, "town");
}

function textOf(args: Arguments, name: string): string | undefined {
  const value = args[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

async function init(args: Arguments, git: Git, streams: Streams): Promise<number> {
  const { initText } = await import("./daemon/init-verb.ts");
  const text = await initText(
    {
      cwd: textOf(args, "cwd") ?? currentDirectory(),
      directory: textOf(args, "directory") ?? textOf(args, "town"),
      rig: textOf(args, "rig"),
      name: textOf(args, "name"),
      gate: textOf(args, "gate"),
      provider: textOf(args, "provider"),
      env: process.env,
      templates,
    },
    createNodeFiles(),
    git,
  );
  streams.out(text);
  return 0;
}

/** bd on the store on disk, for a repository that no running town serves. */
async function bd(args: Arguments, git: Git, streams: Streams): Promise<number> {
  const { runOfflineBd } = await import("./daemon/offline-bd.ts");
  const cwd = textOf(args, "cwd") ?? currentDirectory();
  const stdin = args["stdin"];
  return runOfflineBd(
    {
      argv: Array.isArray(args["argv"]) ? args["argv"].map(String) : [],
      cwd: resolve(cwd, textOf(args, "town") ?? "."),
      ...(typeof stdin === "string" ? { stdin } : {}),
      ...(streams.outIsTerminal === true ? { columns: streams.columns ?? 80 } : {}),
      env: process.env,
      version: packageVersion(),
      out: (text) => streams.out(text),
      err: (text) => streams.err(text),
    },
    {
      git,
      files: createNodeFiles({ readsAtOnce: true }),
      clock: systemClock,
      random: nodeRandom,
      processes: createNodeProcesses(),
    },
  );
}

function packageVersion(): string {
  const text = readFileSync(fileURLToPath(new URL("../package.json", import.meta.url)), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** `town formula …`: exit 0, 1 when a formula is broken, 2 when there is no such formula or file. */
async function formula(args: Arguments, git: Git, streams: Streams): Promise<number> {
  const { runFormula } = await import("./daemon/offline-formulas.ts");
  const cwd = textOf(args, "cwd") ?? currentDirectory();
  const texts = (name: string): readonly string[] => (Array.isArray(args[name]) ? args[name].map(String) : []);
  const call = {
    action: textOf(args, "action") ?? "list",
    args: texts("names"),
    vars: texts("vars"),
    output: textOf(args, "output"),
    directory: resolve(cwd, textOf(args, "town") ?? "."),
    columns: streams.outIsTerminal === true ? (streams.columns ?? 80) : 200,
    out: (text: string) => streams.out(text),
    err: (text: string) => streams.err(text),
  };
  const builtinDirectory = fileURLToPath(new URL("../formulas", import.meta.url));
  return orTrouble(runFormula(call, { git, files: createNodeFiles(), builtinDirectory }), streams);
}

/** `town validate [PATH…]`: exit 0 when all is valid, 1 with errors, 2 when it cannot be read. */
async function validate(args: Arguments, git: Git, streams: Streams): Promise<number> {
  const paths = Array.isArray(args["paths"]) ? args["paths"].map(String) : [];
  const call = { ...manifestCall(args, streams), paths, json: args["output"] === "json" };
  const { offlineValidate } = await import("./daemon/offline-manifests.ts");
  return orTrouble(offlineValidate(call, manifestPorts(git)), streams);
}

/** `town diff REV1..REV2`: exit 0 without differences, 1 with, 2 when a revision or its manifests cannot be read. */
async function diff(args: Arguments, git: Git, streams: Streams): Promise<number> {
  const call = { ...manifestCall(args, streams), range: textOf(args, "range") ?? "HEAD" };
  const { offlineDiff } = await import("./daemon/offline-manifests.ts");
  return orTrouble(offlineDiff(call, manifestPorts(git)), streams);
}

function manifestCall(args: Arguments, streams: Streams) {
  const town = textOf(args, "town");
  const cwd = textOf(args, "cwd") ?? currentDirectory();
  return { cwd, ...(town === undefined ? {} : { town }), out: (text: string) => streams.out(text) };
}

function manifestPorts(git: Git) {
  return { git, files: createNodeFiles(), clock: systemClock, builtinDirectory: join(templates, "builtin") };
}

async function orTrouble(work: Promise<number>, streams: Streams): Promise<number> {
  try {
    return await work;
  } catch (error) {
    if (!isTownError(error)) throw error;
    streams.err(`Error: ${error.message}${error.hint === undefined ? "" : `\n  ${error.hint}`}\n`);
    return 2;
  }
}

/** By its shape: what a verb loads for itself may hold the class a second time. */
function isTownError(error: unknown): error is TownError {
  return error instanceof Error && "reason" in error && "causes" in error;
}
