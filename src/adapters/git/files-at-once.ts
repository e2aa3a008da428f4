import type { GitCommand } from "./git-command.ts";

/** A damaged object ends the process that is asked for it; so many are passed over. */
const passedOver = 100;
const timeoutMs = 60_000;
const lineEnd = 0x0a;

/**
 * Texts of files at a commit, by path, read while the caller waits; without `paths` of all. What cannot be read is left
 * out.
 */
export function filesAtOnce(
  command: GitCommand,
  gitDirectory: string,
  commit: string,
  paths: readonly string[] | undefined,
): ReadonlyMap<string, string> {
  const run = (args: readonly string[], input: string): Buffer =>
    command.runAtOnce(args, { place: { gitDirectory }, input, timeoutMs });
  let wanted = (paths ?? pathsIn(run(["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit], ""))).filter(
    (path) => !path.includes("\n"),
  );
  const found = new Map<string, string>();
  for (let attempt = 0; wanted.length > 0 && attempt < passedOver; attempt++) {
    const names = wanted.map((path) => `${commit}:${path}\n`).join("");
    const texts = textsIn(run(["cat-file", "--batch"], names));
    texts.forEach((text, i) => text !== undefined && found.set(wanted[i] ?? "", text));
    wanted = wanted.slice(texts.length + 1);
  }
  return found;
}

function pathsIn(listed: Buffer): readonly string[] {
  return listed.toString("utf8").split("\0").slice(0, -1);
}

/** One answer each, as far as they go; undefined: git has no such file. */
function textsIn(answers: Buffer): readonly (string | undefined)[] {
  const texts: (string | undefined)[] = [];
  for (let at = 0; at < answers.length; ) {
    const end = answers.indexOf(lineEnd, at);
    if (end < 0) break;
    const header = answers.toString("utf8", at, end);
    at = end + 1;
    const size = Number(/^[0-9a-f]{40,64} blob (\d+)$/.exec(header)?.[1] ?? Number.NaN);
    if (Number.isNaN(size)) {
      texts.push(undefined);
      // Of what else has a body (a tree where a file was): it is passed over.
      const body = /^[0-9a-f]{40,64} \w+ (\d+)$/.exec(header)?.[1];
      if (body !== undefined) at += Number(body) + 1;
      continue;
    }
    if (at + size + 1 > answers.length) break;
    texts.push(answers.toString("utf8", at, at + size));
    at += size + 1;
  }
  return texts;
}
