import { readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AdapterError, messageOf } from "../../errors/town-error.ts";
import { makePath } from "../make-path.ts";
import { removeTree } from "../remove-tree.ts";
import { diskFailure, exists, syncDirectory, unlessMissing } from "./disk.ts";
import type { GitCommand } from "./git-command.ts";
import { withoutCredentials } from "./git-environment.ts";
import { Remotes } from "./remotes.ts";

export interface CloneOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Bare clone of `url` at `path`, its branches under refs/remotes/origin. It is made beside `path` and renamed into
 * place when complete, so `path` either holds a whole clone or nothing.
 */
export async function cloneInto(command: GitCommand, url: string, path: string, options: CloneOptions): Promise<void> {
  if (await adoptable(command, url, path)) return;
  const partial = `${path}.partial`;
  await removeTree(partial);
  await makePath(dirname(path));
  try {
    await fetchAll(command, url, partial, "sha1", options).catch(async (error: unknown) => {
      if (!/mismatched algorithms/.test(messageOf(error))) throw error;
      await removeTree(partial);
      await fetchAll(command, url, partial, "sha256", options);
    });
    await rename(partial, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await removeTree(partial);
    throw diskFailure(withoutCredentials(`clone ${url} to ${path}`), error);
  }
}

/** True for a clone of `url`; false when nothing is there; throws when something else is. */
async function adoptable(command: GitCommand, url: string, path: string): Promise<boolean> {
  const names = (await unlessMissing(readdir(path))) ?? [];
  if (names.length === 0) {
    await rm(path, { recursive: true, force: true });
    return false;
  }
  const isRepository = (await exists(join(path, "HEAD"))) && (await exists(join(path, "objects")));
  const origin = isRepository
    ? await command.text(["config", "--get", "remote.origin.url"], {
        place: { gitDirectory: path },
        doing: `read the origin of ${path}`,
        answers: [0, 1],
      })
    : undefined;
  if (origin === url) return true;
  const what = origin === undefined ? "something else" : origin === "" ? "another repository" : `a clone of ${origin}`;
  throw new AdapterError("CloneInTheWay", withoutCredentials(`Cannot clone ${url} to ${path}: ${what} is there.`), {
    hint: `Move ${path} away.`,
  });
}

async function fetchAll(
  command: GitCommand,
  url: string,
  path: string,
  format: "sha1" | "sha256",
  options: CloneOptions,
): Promise<void> {
  const doing = `clone ${url} to ${path}`;
  await command.run(["init", "--quiet", "--bare", `--object-format=${format}`, "--initial-branch=main", path], {
    place: { cwd: dirname(path) },
    doing,
  });
  const place = { gitDirectory: path };
  await command.run(["remote", "add", "--", "origin", url], { place, doing });
  await command.run(["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"], { place, doing });
  await new Remotes(command, path).fetch("origin", [], {
    timeoutMs: options.timeoutMs ?? 1_800_000,
    signal: options.signal,
  });
  const { exitCode, stdout } = await command.run(["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"], {
    place,
    doing,
    answers: [0, 1],
  });
  const branch = stdout.toString("utf8").trim().slice("refs/remotes/origin/".length);
  if (exitCode === 0) await command.run(["symbolic-ref", "HEAD", `refs/heads/${branch}`], { place, doing });
}
