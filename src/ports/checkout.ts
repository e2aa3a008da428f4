/** A file as git knows it: `100644` or `100755` (or a link, a submodule) and a blob id. */
export interface FileVersion {
  readonly mode: string;
  readonly id: string;
}

/** A path of a checkout in its two other places. */
export interface CheckoutPath {
  /** What the index has; undefined: nothing; `Unmerged`: the sides of a conflict. */
  readonly index: FileVersion | "Unmerged" | undefined;
  /**
   * What `git add` would make of the file on disk; undefined: there is none. `Other`: a directory, a link or special
   * file, or a file behind a link.
   */
  readonly disk: FileVersion | "Other" | undefined;
}

/**
 * A checkout whose `index.lock` Town holds: until `release` no git changes its index or commits there. The lock says
 * whose it is, so that one left by a killed program can be told from git's own and is taken over.
 */
export interface LockedCheckout {
  /** Top directory of the checkout. */
  readonly path: string;
  inspect(paths: readonly string[]): Promise<ReadonlyMap<string, CheckoutPath>>;
  /**
   * Makes a file have this text, complete before it is visible and durable; null removes it, with the directories that
   * are empty then. Throws AdapterError `PathLeavesCheckout` when the way goes through a symbolic link.
   */
  placeFile(path: string, file: { readonly text: string; readonly mode: string } | null): Promise<void>;
  /** Sets index entries (null removes), the others stay; atomic and durable. The lock is still held. */
  stage(entries: ReadonlyMap<string, FileVersion | null>): Promise<void>;
  release(): Promise<void>;
}

/** Something of several steps that a person began in a checkout. */
export type OperationInProgress = "Merge" | "Rebase" | "CherryPick" | "Bisect";

export type CheckoutLock =
  /** No checkout has the branch. */
  | { readonly state: "NotCheckedOut" }
  /** A git, or another Town, holds the index; or two checkouts have the branch. */
  | { readonly state: "Busy"; readonly path: string }
  /** Something is under way there that owns the branch. */
  | {
      readonly state: "InProgress";
      readonly path: string;
      readonly operation: OperationInProgress;
    }
  | { readonly state: "Locked"; readonly checkout: LockedCheckout };
