import type { FileVersion, LockedCheckout } from "../ports/checkout.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import { type CommitIntent, type IntentFile, readIntent, removeIntent } from "./commit-intent.ts";
import { entryAt } from "./git-tree.ts";

/**
 * - `Nothing`: no commit was under way.
 * - `Dropped`: the branch had not moved; nothing of the commit remains, and nobody was told that it was made.
 * - `Finished`: the branch had moved; the checkout follows it now.
 * - `Busy`: something holds the checkout's index; try again later. The intent stays.
 */
export type RecoveryOutcome = "Nothing" | "Dropped" | "Finished" | "Busy";

/**
 * Ends what a killed commit left, from the intent it recorded. Also takes a lock away that a dead Town holds on the
 * checkout of `branch` (full ref).
 *
 * Guarantees: repeatable, and safe to kill at any point. A file or index entry is only set to the new version where it
 * is exactly the old one (and the branch still has the new one), so what a person did in the meantime stays.
 */
export async function recoverCommit(repository: Repository, files: Files, branch: string): Promise<RecoveryOutcome> {
  const intent = await readIntent(repository, files);
  const lock = await repository.lockCheckout(intent?.branch ?? branch);
  if (lock.state === "Busy") return intent === undefined ? "Nothing" : "Busy";
  const checkout = lock.state === "Locked" ? lock.checkout : undefined;
  try {
    if (intent === undefined) return "Nothing";
    const tip = await tipWith(repository, intent);
    if (tip !== undefined && checkout !== undefined && checkout.path === intent.checkout)
      await followTip(repository, intent, tip, checkout);
    await removeIntent(repository, files);
    return tip === undefined ? "Dropped" : "Finished";
  } finally {
    await checkout?.release();
  }
}

/** The branch's commit when the intended one is in its history, else undefined. */
async function tipWith(repository: Repository, { branch, from, to }: CommitIntent): Promise<string | undefined> {
  const tip = await repository.resolve(branch);
  if (tip === undefined || tip === from) return undefined;
  if (tip === to) return tip;
  const isKnown = (await repository.resolve(to)) !== undefined;
  return isKnown && (await repository.isAncestor(to, tip)) ? tip : undefined;
}

async function followTip(
  repository: Repository,
  intent: CommitIntent,
  tip: string,
  checkout: LockedCheckout,
): Promise<void> {
  const { objects } = repository;
  const tree = (await objects.readCommit(tip))?.tree ?? objects.emptyTree;
  const wanted: IntentFile[] = [];
  for (const file of intent.files) {
    if (same((await entryAt(objects, tree, file.path)) ?? null, file.to)) wanted.push(file);
  }
  const found = await checkout.inspect(wanted.map((file) => file.path));
  const staged = new Map<string, FileVersion | null>();
  for (const file of wanted) {
    const { disk, index } = found.get(file.path) ?? {};
    if (disk !== "Other" && same(disk ?? null, file.from)) await placeNew(repository, checkout, file);
    if (index !== "Unmerged" && [file.from, file.to].some((version) => same(index ?? null, version)))
      staged.set(file.path, file.to);
  }
  if (staged.size > 0) await checkout.stage(staged);
}

async function placeNew({ objects }: Repository, checkout: LockedCheckout, { path, to }: IntentFile): Promise<void> {
  await checkout.placeFile(path, to === null ? null : { text: (await objects.readBlob(to.id)) ?? "", mode: to.mode });
}

/** Equal versions of a file; null is no file. */
export function same(a: FileVersion | null, b: FileVersion | null): boolean {
  return a?.id === b?.id && a?.mode === b?.mode;
}
