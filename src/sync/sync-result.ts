import type { Problem } from "../manifests/problem.ts";

/** How the tracked branch is followed, from `Town.spec.sync` and the annotations of the Town. */
export interface SyncSettings {
  readonly mode: "commit" | "worktree";
  /** Short branch name; undefined: the one recorded when the town was made. */
  readonly branch: string | undefined;
  /** Folder of the manifests. */
  readonly path: string;
  /** Everything is compared again after this long, and drift put right. */
  readonly intervalMs: number;
  /** The remote whose branch is the truth. */
  readonly remote: { readonly url: string; readonly intervalMs: number } | undefined;
  /** Revision at which a person allowed pruning. */
  readonly allowPrune: string | undefined;
  /** Revision up to which a person approved commits of agents. */
  readonly approve: string | undefined;
  /** When somebody last asked to look again. */
  readonly poke: string | undefined;
}

/** Why objects do not follow the attempted revision, beside problems of files. */
export interface Standing {
  /** `Unknown`: what is true cannot be told. */
  readonly status: "OutOfSync" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly hint: string;
}

/** How one sync of a source ended. */
export interface SyncResult {
  /** Commit that was applied, or `worktree`; undefined: nothing could be. */
  readonly revision: string | undefined;
  /** Newest commit there was; the same as `revision` unless something is held. */
  readonly attempted: string | undefined;
  readonly branch: string;
  readonly problems: readonly Problem[];
  readonly standing: Standing | undefined;
  readonly declared: number;
  /** Objects created, updated and pruned. */
  readonly changes: number;
  readonly timeMs: number;
}
