import type { Repository } from "../../src/ports/git.ts";

/** The work branch. */
export const BRANCH = "refs/heads/town/work";

/** Commits files with these texts, by path, to the work branch, as somebody with plain git does. */
export async function commitByHand(
  repository: Repository,
  texts: Readonly<Record<string, string>>,
  timeMs: number,
): Promise<void> {
  const { objects } = repository;
  const tip = (await repository.resolve(BRANCH)) ?? "";
  const info = await objects.readCommit(tip);
  const changes = new Map<string, string>();
  for (const [path, text] of Object.entries(texts)) changes.set(path, await objects.writeBlob(text));
  const tree = await objects.changeTree(info?.tree ?? "", changes);
  const by = { name: "carol", email: "c@example.com", timeMs };
  const commit = await objects.writeCommit({ tree, parents: [tip], message: "by hand", author: by, committer: by });
  await repository.updateRefs([{ ref: BRANCH, from: tip, to: commit }], "by hand");
}
