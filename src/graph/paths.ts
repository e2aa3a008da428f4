/** Format of everything this room writes to disk and to the branch. */
export const formatVersion = 1;

/** Last commit of the branch that this store wrote itself. */
export const flushedRef = "refs/town/flushed";

/** Where a clone that has no work branch of its own sees that of the repository it was made from. */
export function clonedBranch(branch: string): string {
  return branch.replace(/^refs\/heads\//, "refs/remotes/origin/");
}

export const defaultBranch = "refs/heads/town/work";

/**
 * Key in a repository's git config: common directory of the repository that holds its beads, where that is another one
 * (the rig's clone in a town).
 */
export const storeKey = "town.store";

/** Key in the git config of a store: prefix of the ids that are minted there. */
export const prefixKey = "town.prefix";

/** Files of a store below the common directory of its repository. */
export interface StorePaths {
  readonly root: string;
  readonly identity: string;
  readonly lock: string;
  /** Who waits for the lock, in order. */
  readonly waiting: string;
  readonly wal: string;
  readonly local: string;
  readonly cache: string;
  readonly setAside: string;
  readonly settings: string;
  /** Is there while objects of the branch may have been lost: somebody collected garbage when they were written. */
  readonly suspicion: string;
}

export function storePaths(commonDirectory: string): StorePaths {
  const root = `${commonDirectory}/town`;
  return {
    root,
    identity: `${root}/graph.json`,
    lock: `${root}/graph.lock`,
    waiting: `${root}/waiting`,
    wal: `${root}/wal`,
    local: `${root}/wisps.jsonl`,
    cache: `${root}/cache`,
    setAside: `${root}/set-aside`,
    settings: `${root}/bd.json`,
    suspicion: `${root}/suspicion`,
  };
}
