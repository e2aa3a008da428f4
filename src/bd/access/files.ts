import { TownError } from "../../errors/town-error.ts";
import { usageError } from "../grammar/usage-error.ts";
import type { BdContext } from "../context.ts";

type FileAccess = Pick<BdContext, "files" | "cwd" | "stdin" | "session">;

/** Text of a file, or of stdin for `-`. Throws TownError `NoSuchFile`, or `Forbidden` for a session outside its directory. */
export async function readInput(path: string, access: FileAccess): Promise<string> {
  if (path === "-") return stdinText(access);
  const full = await allowedPath(path, access);
  const text = await access.files.readText(full);
  if (text === undefined)
    throw new TownError("NoSuchFile", `cannot read ${path}: no such file`, { hint: `it was looked for at ${full}` });
  return text;
}

export function stdinText({ stdin }: FileAccess): string {
  if (stdin === undefined) throw usageError("nothing was given on standard input", "pipe the text in, or name a file");
  return stdin;
}

/** The absolute path that a session may use: the server acts for it, so it must not reach what the sandbox keeps from it. */
export async function allowedPath(path: string, { files, cwd, session }: FileAccess): Promise<string> {
  const full = absolute(path, cwd);
  if (session === undefined) return full;
  const root = (await files.realPath(session.directory)) ?? session.directory;
  const real =
    (await files.realPath(full)) ??
    `${(await files.realPath(parentOf(full))) ?? "/"}/${full.slice(full.lastIndexOf("/") + 1)}`;
  if (real === root || real.startsWith(`${root}/`)) return full;
  throw new TownError("Forbidden", `cannot use ${path}: it is outside of this session's directory`, {
    hint: `use a file below ${session.directory}, or standard input`,
  });
}

/** An absolute path without `.` and `..`. */
export function absolute(path: string, cwd: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${cwd}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}
