import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";

/** A town on disk: its repository and the state directory in the repository's common git directory. */
export interface TownLocation {
  readonly directory: string;
  readonly stateDirectory: string;
}

/** What the daemon writes to `<state>/endpoint.json` once it listens. */
export interface Endpoint {
  readonly version: number;
  readonly socket: string;
  readonly pid: number;
  readonly startTime: string;
  readonly tlsPort?: number;
}

/** Where and as whom to call the API. */
export interface Target {
  readonly socketPath: string;
  readonly token: string;
  /** What the user would call it in a message. */
  readonly town: string;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `-C DIR` / `--town DIR`. */
  readonly townOption?: string | undefined;
}

/**
 * The town meant by `-C DIR`, else $TOWN_DIR, else the nearest one from the working directory upwards. A repository counts as a town when
 * it has a state directory with an endpoint, or manifests; a rig's checkout is followed to its town by `town.store` in
 * its git config. Reads files only, since a git process would cost more than the whole command.
 */
export function findTown(around: Surroundings): TownLocation | undefined {
  const named = around.townOption ?? around.env["TOWN_DIR"];
  if (named !== undefined && named !== "") return townAt(resolve(around.cwd, named));
  for (let directory = resolve(around.cwd); ; directory = dirname(directory)) {
    const found = townAt(directory, true);
    if (found !== undefined) return found;
    if (dirname(directory) === directory) return undefined;
  }
}

/** The town whose repository is at `directory`; with `marked`, only if something says that it is a town. */
function townAt(directory: string, marked = false): TownLocation | undefined {
  const common = commonDirectoryOf(directory);
  if (common === undefined) return undefined;
  const stateDirectory = join(common, "town");
  if (!marked || exists(join(stateDirectory, "endpoint.json"))) return { directory, stateDirectory };
  const followed = townOfRig(common);
  if (followed !== undefined) return followed;
  return exists(join(directory, "manifests")) ? { directory, stateDirectory } : undefined;
}

/** Git's common directory of the working tree or bare repository at exactly `directory`, as `git rev-parse --git-common-dir`. */
export function commonDirectoryOf(directory: string): string | undefined {
  const dotGit = join(directory, ".git");
  const stat = statSync(dotGit, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return dotGit;
  if (stat?.isFile() === true) {
    const link = /^gitdir: (.+?)\s*$/m.exec(readText(dotGit) ?? "")?.[1];
    if (link === undefined) return undefined;
    const gitDirectory = resolve(directory, link);
    const common = readText(join(gitDirectory, "commondir"))?.trim();
    return common === undefined ? gitDirectory : resolve(gitDirectory, common);
  }
  const isBare =
    exists(join(directory, "HEAD")) && exists(join(directory, "objects")) && exists(join(directory, "refs"));
  return isBare ? directory : undefined;
}

/** `town.store` names the store of the rig, which lies somewhere below the state directory of its town. */
function townOfRig(commonDirectory: string): TownLocation | undefined {
  const section = /^\[town\]\s*$([^[]*)/m.exec(readText(join(commonDirectory, "config")) ?? "")?.[1];
  const store = /^\s*store\s*=\s*"?(.+?)"?\s*$/m.exec(section ?? "")?.[1];
  if (store === undefined || !isAbsolute(store)) return undefined;
  for (let directory = store; dirname(directory) !== directory; directory = dirname(directory)) {
    if (!exists(join(directory, "endpoint.json"))) continue;
    const common = dirname(directory);
    return { directory: common.endsWith("/.git") ? dirname(common) : common, stateDirectory: directory };
  }
  return undefined;
}

/** The endpoint a daemon left; undefined when there is none or it is unreadable. */
export function readEndpoint(town: TownLocation): Endpoint | undefined {
  try {
    const endpoint = JSON.parse(readText(join(town.stateDirectory, "endpoint.json")) ?? "null") as Endpoint | null;
    return endpoint !== null && typeof endpoint.socket === "string" ? endpoint : undefined;
  } catch {
    return undefined;
  }
}

export type TargetProblem =
  | { readonly problem: "NoTown" }
  | { readonly problem: "NoDaemon"; readonly town: TownLocation }
  | { readonly problem: "NoToken"; readonly path: string };

/**
 * Socket and token to use. An explicit `-C` names a town by hand; otherwise the session's own TOWN_SOCKET and
 * TOWN_TOKEN_FILE win, so that an agent acts as itself wherever it stands.
 */
export function findTarget(around: Surroundings): Target | TargetProblem {
  const { TOWN_SOCKET: socket, TOWN_TOKEN_FILE: tokenFile } = around.env;
  if (around.townOption === undefined && socket !== undefined && socket !== "") {
    const path = tokenFile ?? "";
    const token = readText(path)?.trim();
    return token === undefined || token === ""
      ? { problem: "NoToken", path: path || "$TOWN_TOKEN_FILE" }
      : { socketPath: socket, token, town: around.env["TOWN_AGENT"] ?? socket };
  }
  const town = findTown(around);
  if (town === undefined) return { problem: "NoTown" };
  const endpoint = readEndpoint(town);
  if (endpoint === undefined) return { problem: "NoDaemon", town };
  const path = join(town.stateDirectory, "tokens", "overseer");
  const token = readText(path)?.trim();
  return token === undefined || token === ""
    ? { problem: "NoToken", path }
    : { socketPath: endpoint.socket, token, town: town.directory };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
