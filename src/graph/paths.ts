/** Format of everything this room writes to disk and to the branch. */
export const formatVersion = 1;

/** Last commit of the branch that this store wrote itself. */
export const flushedRef = "refs/town/flushed";

export const defaultBranch = "refs/heads/town/work";

/** Files of a store below the common directory of its repository. */
export interface StorePaths {
  readonly root: string;
  readonly identity: string;
  readonly lock: string;
  readonly wal: string;
  readonly local: string;
  readonly cache: string;
  readonly setAside: string;
}

export function storePaths(commonDirectory: string): StorePaths {
  const root = `${commonDirectory}/town`;
  return {
    root,
    identity: `${root}/graph.json`,
    lock: `${root}/graph.lock`,
    wal: `${root}/wal`,
    local: `${root}/wisps.jsonl`,
    cache: `${root}/cache`,
    setAside: `${root}/set-aside`,
  };
}
