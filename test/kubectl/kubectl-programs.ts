import { spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** A kubectl that works on this machine. */
export interface KubectlProgram {
  readonly path: string;
  /** Of the client: 32 for 1.32. */
  readonly minor: number;
}

/** Second version to test with, where a distribution of kubectl brings several (Google Cloud's does: `kubectl.1.28`). */
const OTHERS = [28, 29, 27, 30, 31, 33];

/**
 * The kubectls to test with: those that TOWN_KUBECTLS lists (separated as PATH is; each must work), else the one on PATH
 * and one of another version beside it. Says on stderr what is left out. Throws when a listed one does not work, and
 * with CI set also when the one on PATH does not.
 */
export function kubectlPrograms(
  env: Readonly<Record<string, string | undefined>> = process.env,
): readonly KubectlProgram[] {
  const listed = (env["TOWN_KUBECTLS"] ?? "").split(delimiter).filter((path) => path !== "");
  if (listed.length > 0) return listed.map((path) => programAt(path) ?? broken(`TOWN_KUBECTLS lists ${path}, which`));
  const onPath = (env["PATH"] ?? "")
    .split(delimiter)
    .map((directory) => join(directory, "kubectl"))
    .find(isExecutable);
  if (onPath === undefined) {
    console.warn("SKIPPED: kubectl is not on PATH, so nothing is known about how it gets on with this server");
    return [];
  }
  const main = programAt(onPath);
  if (main === undefined) {
    if (env["CI"] !== undefined) return broken(`${onPath} is on PATH and`);
    console.warn(`SKIPPED: ${onPath} does not work, so nothing is known about how kubectl gets on with this server`);
    return [];
  }
  const other = OTHERS.filter((minor) => minor !== main.minor)
    .map((minor) => join(dirname(realpathSync(onPath)), `kubectl.1.${minor}`))
    .find(isExecutable);
  const second = other === undefined ? undefined : programAt(other);
  if (second === undefined)
    console.warn(
      `SKIPPED: kubectl 1.${main.minor} is the only one here; other versions are tested by listing them in TOWN_KUBECTLS (test/kubectl/fetch.mjs gets some)`,
    );
  return second === undefined ? [main] : [main, second];
}

function programAt(path: string): KubectlProgram | undefined {
  const { status, stdout } = spawnSync(path, ["version", "--client", "--output=json"], {
    encoding: "utf8",
    timeout: 60_000,
  });
  const minor = /"gitVersion": "v1\.(\d+)\./.exec(stdout ?? "")?.[1];
  return status === 0 && minor !== undefined ? { path, minor: Number(minor) } : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function broken(which: string): never {
  throw new Error(`${which} does not work: \`kubectl version --client\` failed`);
}
