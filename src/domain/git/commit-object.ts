import type { CommitInfo, GitIdentity, NewCommit } from "./git-object.ts";

/**
 * The body of a commit object. Times are written in UTC, whole seconds; `nowMs` is used where an identity has none.
 * A message gets the final newline that git's own commits have; `decodeCommit` takes it off again.
 */
export function encodeCommit(commit: NewCommit, nowMs: number): string {
  const message = commit.message.replaceAll("\0", "");
  return [
    `tree ${commit.tree}`,
    ...commit.parents.map((parent) => `parent ${parent}`),
    `author ${identityLine(commit.author, nowMs)}`,
    `committer ${identityLine(commit.committer, nowMs)}`,
    "",
    message.endsWith("\n") ? message : `${message}\n`,
  ].join("\n");
}

/** Reads the body of a commit object; headers other than the four that matter here are skipped. */
export function decodeCommit(id: string, body: string): CommitInfo {
  const end = body.indexOf("\n\n");
  const head = end < 0 ? body : body.slice(0, end);
  const message = end < 0 ? "" : body.slice(end + 2);
  const parents: string[] = [];
  const fields = new Map<string, string>();
  for (const line of head.split("\n")) {
    const space = line.indexOf(" ");
    if (space <= 0) continue;
    const key = line.slice(0, space);
    const value = line.slice(space + 1);
    if (key === "parent") parents.push(value);
    else if (!fields.has(key)) fields.set(key, value);
  }
  return {
    id,
    tree: fields.get("tree") ?? "",
    parents,
    author: identityOf(fields.get("author") ?? ""),
    committer: identityOf(fields.get("committer") ?? ""),
    message: message.endsWith("\n") ? message.slice(0, -1) : message,
  };
}

/** `Name <email> seconds +0000`, without the characters that would break the line. */
export function identityLine(identity: GitIdentity, nowMs: number): string {
  const seconds = Math.floor((identity.timeMs ?? nowMs) / 1000);
  const email = identity.email.replace(unsafe, "").trim();
  return `${plainName(identity.name) || plainName(email) || "unknown"} <${email}> ${Math.max(0, seconds)} +0000`;
}

/** The name as git writes it: without `<`, `>`, control characters and punctuation at its ends. */
export function plainName(name: string): string {
  return name.replace(unsafe, "").replace(/^[\s.,:;"\\']+|[\s.,:;"\\']+$/g, "");
}

// oxlint-disable-next-line no-control-regex
const unsafe = /[<>\x00-\x1f\x7f]/g;

function identityOf(line: string): GitIdentity {
  const match = /^(.*?) ?<([^>]*)>(?: (-?\d+))?/.exec(line);
  if (match === null) return { name: line, email: "" };
  const [, name = "", email = "", seconds] = match;
  return { name, email, ...(seconds === undefined ? {} : { timeMs: Number(seconds) * 1000 }) };
}
