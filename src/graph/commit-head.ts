/** What must be known of a commit of the work branch to build on it. */
export interface CommitHead {
  readonly commit: string;
  readonly tree: string;
  /** How much of each log it contains: log id to seq. */
  readonly positions: Readonly<Record<string, number>>;
}

/** How far the cache of a store goes. */
export interface CachePosition {
  /** Commit that the tables of the cache are of. */
  readonly tables: string;
  /** Commit that it leads to with what was added to it. */
  readonly commit: string;
}
