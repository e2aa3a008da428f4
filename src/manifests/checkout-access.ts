import { ApiStatusError } from "../errors/town-error.ts";
import type { CheckoutLock, FileVersion, LockedCheckout } from "../ports/checkout.ts";
import type { Clock } from "../ports/clock.ts";
import type { Repository } from "../ports/git.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { conflict } from "./plan-write.ts";
import { same } from "./recover-commit.ts";
import type { SourceDraft } from "./source-draft.ts";

/** A person's git holds the index for moments; after this long the write is refused. */
const BUSY_MS = 2_000;
const BUSY_STEP_MS = 50;

/** Holds the checkout of a branch, where there is one. Throws ApiStatusError 409 naming the checkout and what is under way. */
export async function holdCheckout(
  repository: Repository,
  clock: Clock,
  branch: string,
): Promise<LockedCheckout | undefined> {
  for (let waited = 0; ; waited += BUSY_STEP_MS) {
    const lock = await repository.lockCheckout(branch);
    if (lock.state !== "Busy" || waited >= BUSY_MS) return requireFree(lock, branch);
    await clock.sleep(BUSY_STEP_MS);
  }
}

function requireFree(lock: CheckoutLock, branch: string): LockedCheckout | undefined {
  if (lock.state === "Locked") return lock.checkout;
  if (lock.state === "NotCheckedOut") return undefined;
  const short = branch.replace("refs/heads/", "");
  if (lock.state === "InProgress") {
    throw new ApiStatusError(
      409,
      "Conflict",
      `nothing was written: a ${OPERATIONS[lock.operation]} is in progress in ${lock.path}, which has ${short} checked out`,
      { hint: `Finish it there, or abort it: \`git ${OPERATIONS[lock.operation]} --abort\`.` },
    );
  }
  throw new ApiStatusError(
    409,
    "Conflict",
    `nothing was written: another git holds the index of ${lock.path}, which has ${short} checked out`,
    {
      hint: "Wait for it to end. If none runs there, a killed one left `index.lock` in its git directory: remove that.",
    },
  );
}

const OPERATIONS = { Merge: "merge", Rebase: "rebase", CherryPick: "cherry-pick", Bisect: "bisect" } as const;

/** Throws ApiStatusError 409 unless a path is in index and on disk as in HEAD, so that nothing of a person is overwritten. */
export async function requireClean(
  key: ObjectKey,
  path: string,
  draft: SourceDraft,
  checkout: LockedCheckout,
): Promise<void> {
  // A file that this commit has changed already was looked at then.
  if (draft.changes.has(path)) return;
  const head: FileVersion | null = (await draft.tipFile(path))?.version ?? null;
  const { index, disk } = (await checkout.inspect([path])).get(path) ?? {};
  const isClean = index !== "Unmerged" && disk !== "Other" && same(index ?? null, head) && same(disk ?? null, head);
  if (isClean) return;
  const what =
    index === "Unmerged"
      ? "is in conflict"
      : same(index === undefined ? null : index, head)
        ? "has changes that are not committed"
        : "has staged changes";
  throw conflict(
    key,
    `${path} ${what} in ${checkout.path}`,
    `Commit or stash them (\`git -C ${checkout.path} status\`), then try again.`,
  );
}
