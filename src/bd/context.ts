import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type {
  Author,
  GraphReader,
  GraphTransaction,
  HistoryEntry,
  WorkGraph,
  WorkGraphs,
} from "../ports/work-graph.ts";

/** The agent session a command runs in; absent for people. */
export interface BdSession {
  /** `<agent>@<generation>`, kept with every change. */
  readonly name: string;
  /** Its role lets it change beads that others hold and records of the machinery. */
  readonly managesBeads: boolean;
  /** Its role lets it make beads. */
  readonly createsBeads: boolean;
  /** Its role lets it change and close beads that nobody else works on. */
  readonly changesBeads: boolean;
  /** Its role sees to others: it may also change what another agent works on, which it never closes. */
  readonly seesToOthers: boolean;
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
  /** What could not be read and was kept for a person, one line each. */
  readonly setAside: readonly string[];
}

/** What an import did, or would do. */
export interface ImportSummary {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: number;
  /** Ids whose record here is newer than the one in the file. */
  readonly older: readonly string[];
  /** Lines that are no records; they were set aside. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
  readonly notes: readonly { readonly line: number; readonly problem: string }[];
  readonly memories: readonly { readonly key: string; readonly value: string }[];
}

/** Texts of the files of a Beads backup directory; the others are empty. */
export interface BackupTexts {
  readonly issues: string;
  readonly dependencies?: string | undefined;
  readonly labels?: string | undefined;
  readonly comments?: string | undefined;
}

export interface PastState {
  readonly commit: string;
  readonly timeMs: number;
  readonly reader: GraphReader;
}

export interface RecordChangeSummary {
  readonly id: string;
  readonly before: BeadRecord | undefined;
  readonly after: BeadRecord | undefined;
  readonly events: readonly { readonly event: string; readonly changes: HistoryEntry["changes"] }[];
}

/** What git has of a store. */
export interface ObjectState {
  /** What the last commit needs and git has lost. */
  readonly lost: readonly string[];
  readonly isHealed: boolean;
  /** Commits that no ref leads to and that hold later beads, a line each. */
  readonly leftBehind: readonly string[];
}

/** What a store offers beside its records. */
export interface StoreTools {
  place(graph: WorkGraph): Promise<StorePlace>;
  /** What the last commit needs and git has lost; a store that may be written is healed. Costs as much as reading all of it. */
  objects(graph: WorkGraph): Promise<ObjectState>;
  /** bd's key-value settings of the store. */
  settings(graph: WorkGraph): Promise<Readonly<Record<string, string>>>;
  /** Applies the change to the settings as they are on disk now; undefined removes a key. Custom statuses count at once. */
  changeSettings(graph: WorkGraph, change: Readonly<Record<string, string | undefined>>): Promise<void>;
  hasRemote(graph: WorkGraph, remote: string): Promise<boolean>;
  sync(
    graph: WorkGraph,
    options: { readonly remote: string; readonly push: boolean; readonly signal?: AbortSignal },
  ): Promise<SyncSummary>;
  /** The records as they were at a commit or time; undefined: there is no such revision. */
  asOf(graph: WorkGraph, revision: string): Promise<PastState | undefined>;
  /** Digests among the records with the texts they stand for; `missing`: ids whose texts are not in this repository. */
  fullTexts(
    graph: WorkGraph,
    records: readonly BeadRecord[],
  ): Promise<{ readonly records: readonly BeadRecord[]; readonly missing: readonly string[] }>;
  /** What changed between two revisions. Throws TownError `RevisionUnknown`. */
  diff(graph: WorkGraph, from: string, to: string): Promise<readonly RecordChangeSummary[]>;
  importFrom(
    graph: WorkGraph,
    what: { readonly text: string } | { readonly backup: BackupTexts },
    options: {
      readonly source: string;
      readonly author: Author;
      readonly nowMs: number;
      readonly dryRun: boolean;
      /** Older records overwrite newer ones, too. */
      readonly allowStale: boolean;
    },
  ): Promise<ImportSummary>;
  /** Every record, deleted ones as tombstones. */
  records(graph: WorkGraph): readonly BeadRecord[];
  /** Writes a file of beads, keeping the bytes of unchanged lines. Throws TownError `EmptyExport`. */
  exportTo(
    graph: WorkGraph,
    path: string,
    options: {
      /** Default: all. */
      readonly records?: readonly BeadRecord[];
      readonly all: boolean;
      readonly templates: boolean;
      /** Undefined: those in the file stay as they are. */
      readonly memories: readonly { readonly key: string; readonly value: string }[] | undefined;
    },
  ): Promise<{ readonly written: number; readonly dropped: number }>;
  /** Removes the wisps that have outlived their class, with `dryRun` only counts them; returns how many. */
  collectWisps(graph: WorkGraph, options: { readonly dryRun: boolean }): Promise<number>;
  /** Packs what the store wrote; returns how many objects. */
  pack(graph: WorkGraph): Promise<number>;
  /** Lets git merge files of beads by record; answers the line for .gitattributes. */
  installMergeDriver(graph: WorkGraph): Promise<string>;
  /** Gives the repository a prefix of ids. Absent where the prefix is declared elsewhere. */
  init?(options: {
    readonly prefix: string | undefined;
    /** Where none is wanted and none was given before. */
    readonly orElse: string | undefined;
  }): Promise<{ readonly prefix: string; readonly fresh: boolean }>;
}

/** Everything a bd command may use. */
export interface BdContext {
  readonly graphs: WorkGraphs;
  /** The store where new beads go and lists are read. */
  readonly home: WorkGraph;
  readonly actor: string;
  /** Told what the caller's role did not let it do. */
  readonly denied?: (message: string) => void;
  /** E-mail of the person for whom beads are made. */
  readonly owner?: string;
  readonly session?: BdSession;
  /** Name of this call, which is made again under it when its answer was lost; nobody else's has it. */
  readonly request?: string;
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
  readonly tools: StoreTools;
  /** Why a bead must not be closed or given up by this caller here (it is on its hook), with what to do instead. */
  guardClose?(id: string): string | undefined;
  /** Closes a step of a molecule by the molecule's rules; undefined for beads that are none. */
  closeStep?(tx: GraphTransaction, id: string, reason: string | undefined): ClosedStep | undefined;
  /** Told in the same transaction of a bead that was closed, deleted or given another status. */
  changedStatus?(tx: GraphTransaction, id: string): void;
  /** True when the process or session that holds this claim is known to be gone. */
  holderGone?(record: BeadRecord): boolean;
  /** How long whoever renews the claims of sessions has been running under an even clock, ms. Absent: nobody does. */
  readonly steadyMs?: number;
  readonly signal?: AbortSignal;
}

/** One store as the set of stores a context needs. */
export function oneGraph(graph: WorkGraph): WorkGraphs {
  return {
    graph: (namespace) => (namespace === graph.namespace ? graph : undefined),
    graphOf: (id) => (id.startsWith(`${graph.prefix}-`) ? graph : undefined),
    isAway: () => false,
    all: () => [graph],
  };
}

export interface BdResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}
