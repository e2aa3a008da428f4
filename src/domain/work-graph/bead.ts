/**
 * A Bead record in the field names of Beads' JSONL, so that files of every era import and export without loss.
 * Keys not listed here are kept verbatim. Town's own facts sit in `metadata` under `town.*` keys.
 */
export interface BeadRecord {
  readonly id: string;
  readonly title: string;
  readonly description?: string;
  readonly design?: string;
  readonly acceptance_criteria?: string;
  readonly notes?: string;
  readonly status: string;
  /** 0 (P0, most urgent) to 4. */
  readonly priority: number;
  readonly issue_type: string;
  readonly assignee?: string;
  /** The human whose request created the bead (git author e-mail). */
  readonly owner?: string;
  readonly estimated_minutes?: number;
  readonly created_at: string;
  readonly created_by?: string;
  readonly updated_at: string;
  readonly started_at?: string;
  readonly closed_at?: string;
  readonly close_reason?: string;
  readonly closed_by_session?: string;
  readonly lease_expires_at?: string;
  readonly heartbeat_at?: string;
  readonly due_at?: string;
  readonly defer_until?: string;
  readonly external_ref?: string;
  readonly labels?: readonly string[];
  readonly dependencies?: readonly DependencyEdge[];
  readonly comments?: readonly BeadComment[];
  readonly ephemeral?: boolean;
  readonly pinned?: boolean;
  readonly is_template?: boolean;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly [unknownKey: string]: unknown;
}

/** What every list can be filtered and ordered by without reading whole records. */
export type BeadSketch = Pick<
  BeadRecord,
  | "id"
  | "status"
  | "priority"
  | "issue_type"
  | "created_at"
  | "assignee"
  | "labels"
  | "defer_until"
  | "pinned"
  | "is_template"
  | "ephemeral"
>;

/** `issue_id` depends on `depends_on_id`; for parent-child the issue is the child. */
export interface DependencyEdge {
  readonly issue_id: string;
  readonly depends_on_id: string;
  readonly type: string;
  readonly created_at?: string;
  readonly created_by?: string;
  /** A string that holds JSON. */
  readonly metadata?: string;
  readonly [unknownKey: string]: unknown;
}

export interface BeadComment {
  readonly id: number | string;
  readonly issue_id?: string;
  readonly author: string;
  readonly text: string;
  readonly created_at: string;
  readonly [unknownKey: string]: unknown;
}

/** Keys of `metadata` that Town owns. */
export const META = {
  /** Idempotency key of the creator, e.g. `convoy/<namespace>/<name>/<item>`; unique within a store. */
  key: "town.key",
  /** Convoy the bead belongs to, `<namespace>/<name>`. */
  convoy: "town.convoy",
  /** Id of the molecule poured for this bead. */
  molecule: "town.molecule",
  /** On a molecule root: the bead it is the plan for. On a merge request: the bead whose work it carries. */
  bead: "town.bead",
  /** On a step: its id in the formula. */
  step: "town.step",
  /** Fencing token: raised at each claim. */
  fence: "town.fence",
  /** Session generation that holds the claim. */
  generation: "town.generation",
  /** How many attempts were sent back. */
  attempts: "town.attempts",
  /** Pinned head of the last submission (commit id). */
  head: "town.head",
  /** Id of the open merge request of this bead. */
  mergeRequest: "town.mergeRequest",
  /** Sandbox of the current attempt: `{ agent, attempt, base, branch }`. */
  sandbox: "town.sandbox",
  /** Why the last attempt came back: text for the next prime. */
  feedback: "town.feedback",
} as const;
