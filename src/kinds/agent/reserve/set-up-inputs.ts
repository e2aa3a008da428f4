import type { Repository, TreeEntry } from "../../../ports/git.ts";

/**
 * What the result of a set-up depends on, as text that is equal while it is: the commit's tree, or the objects at some of
 * its paths (`inputs`; one that does not exist counts as such). Undefined for a commit that is not there.
 */
export async function setUpInputs(
  { objects }: Pick<Repository, "objects">,
  commit: string,
  inputs: readonly string[],
): Promise<string | undefined> {
  const tree = (await objects.readCommit(commit))?.tree;
  if (tree === undefined || inputs.length === 0) return tree;
  const found: string[] = [];
  for (const path of inputs.toSorted()) found.push(`${path} ${(await objectAt(objects, tree, path)) ?? "-"}`);
  return found.join("\n");
}

async function objectAt(objects: Repository["objects"], tree: string, path: string): Promise<string | undefined> {
  let id: string | undefined = tree;
  let isTree = true;
  for (const name of path.split("/")) {
    if (id === undefined || !isTree) return undefined;
    const entries: readonly TreeEntry[] = await objects.readTree(id);
    const entry = entries.find((each) => each.name === name);
    id = entry?.id;
    isTree = entry?.mode === "040000";
  }
  return id;
}
