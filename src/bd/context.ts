import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { GraphReader, GraphTransaction, WorkGraph, WorkGraphs } from "../ports/work-graph.ts";

/** The agent session a command runs in; absent for people. */
export interface BdSession {
  /** `<agent>@<generation>`, kept with every change. */
  readonly name: string;
  /** Its role lets it change beads that others hold and records of the machinery. */
  readonly managesBeads: boolean;
  /** Files it may name lie below this directory. */
  readonly directory: string;
}

/** What a step of a molecule needs when it closes; the rules of molecules are not bd's. */
export interface ClosedStep {
  readonly closed: BeadRecord;
  /** The step to do now; undefined when that was the last one. */
  readonly next: BeadRecord | undefined;
}

/** Result of an exchange with a remote. */
export interface SyncSummary {
  readonly commit: string;
  readonly pushed: boolean;
  readonly changed: readonly string[];
  readonly lostClaims: readonly { readonly id: string; readonly assignee: string; readonly winner?: string }[];
  readonly rekeyed: readonly { readonly from: string; readonly to: string }[];
  readonly refused: readonly string[];
}

/** Where a store lies. */
export interface StorePlace {
  /** The repository's common directory. */
  readonly directory: string;
  /** Branch of the work graph, short. */
  readonly branch: string;
  /** Last commit written; undefined before the first. */
  readonly commit?: string;
  /** Problems that were set aside when the store was read, one line each. */
  readonly setAside: readonly string[];
}

/** What a store offers beside its records. Every part may be absent: commands that need it say so. */
export interface StoreTools {
  place(graph: WorkGraph): Promise<StorePlace>;
  /** bd's key-value settings of the store. */
  settings(graph: WorkGraph): Promise<Readonly<Record<string, string>>>;
  /** Applies the change to the settings as they are on disk now; undefined removes a key. */
  changeSettings(graph: WorkGraph, change: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** Exchanges with a git remote. */
  sync?(
    graph: WorkGraph,
    options: { readonly remote: string; readonly push: boolean; readonly signal?: AbortSignal },
  ): Promise<SyncSummary>;
  /** The records as they were at a commit or time. Undefined: no such revision. */
  asOf?(graph: WorkGraph, revision: string): Promise<GraphReader | undefined>;
  /** Packs what the store wrote; returns how many objects. */
  pack?(graph: WorkGraph): Promise<number>;
  /** Gives the repository a prefix of ids and makes it ready for merging files of beads. Answers what was done. */
  init?(options: {
    readonly prefix: string | undefined;
  }): Promise<{ readonly prefix: string; readonly fresh: boolean }>;
}

/** Everything a bd command may use. */
export interface BdContext {
  readonly graphs: WorkGraphs;
  /** The store where new beads go and lists are read. */
  readonly home: WorkGraph;
  readonly actor: string;
  /** E-mail of the person for whom beads are made. */
  readonly owner?: string;
  readonly session?: BdSession;
  /** The caller may change nothing. */
  readonly readOnly?: boolean;
  readonly clock: Pick<Clock, "now">;
  readonly files: Files;
  /** Absolute directory against which paths are resolved. */
  readonly cwd: string;
  readonly stdin?: string;
  /** A person at a terminal reads the answer. */
  readonly isTerminal: boolean;
  /** Columns of that terminal. Default 80. */
  readonly columns?: number;
  /** BD_JSON_ENVELOPE, NO_COLOR and the like. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly tools?: StoreTools;
  /** Why a bead must not be closed or given up by this caller here (it is on its hook), with what to do instead. */
  guardClose?(id: string): string | undefined;
  /** Closes a step of a molecule by the molecule's rules; undefined for beads that are none. */
  closeStep?(tx: GraphTransaction, id: string, reason: string | undefined): ClosedStep | undefined;
  /** True when the process or session that holds this claim is known to be gone. */
  holderGone?(record: BeadRecord): boolean;
  readonly signal?: AbortSignal;
}

/** One store as the set of stores a context needs. */
export function oneGraph(graph: WorkGraph): WorkGraphs {
  return {
    graph: (namespace) => (namespace === graph.namespace ? graph : undefined),
    graphOf: (id) => (id.startsWith(`${graph.prefix}-`) ? graph : undefined),
    all: () => [graph],
  };
}

export interface BdResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}
