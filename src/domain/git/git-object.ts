export interface GitIdentity {
  readonly name: string;
  readonly email: string;
  /** ms; default now. */
  readonly timeMs?: number;
}

export interface TreeEntry {
  readonly mode: "100644" | "100755" | "040000" | "120000" | "160000";
  readonly name: string;
  readonly id: string;
}

export interface CommitInfo {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: GitIdentity;
  readonly committer: GitIdentity;
  readonly message: string;
}

export interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: GitIdentity;
  readonly committer: GitIdentity;
}
