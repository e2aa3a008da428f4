import type { TownObject } from "../resource/object-meta.ts";
import type { Cell, ColumnDefinition } from "../resource/table.ts";
import type { ServerAddress } from "./http-transport.ts";
import type { Transport } from "./transport.ts";

export interface ConnectOptions {
  /** Where the server is, or how it is reached within this process. */
  readonly server: ServerAddress | Transport;
  /** Bearer token. */
  readonly token: string;
  /** How long the server may be silent. Default 5,000. */
  readonly timeoutMs?: number;
  /** First word is the field manager and the origin in the audit. Default `town`. */
  readonly userAgent?: string;
}

export interface TableRow {
  readonly cells: readonly Cell[];
  /** Metadata of the object; the object itself with `includeObject`. */
  readonly object: Pick<TownObject, "metadata">;
}

/** meta.k8s.io/v1 Table: columns and cells as the server rendered them. */
export interface TableAnswer {
  readonly kind: "Table";
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly columnDefinitions: readonly ColumnDefinition[];
  readonly rows: readonly TableRow[];
}

export interface ListAnswer {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly TownObject[];
}

/** Which objects; without a namespace those of all namespaces (or of a cluster-scoped resource). */
export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly signal?: AbortSignal;
}

export interface ObjectName {
  readonly namespace?: string;
  readonly name: string;
}

export interface WriteOptions {
  readonly dryRun?: boolean;
  /** Default Strict. */
  readonly fieldValidation?: "Strict" | "Warn" | "Ignore";
  readonly fieldManager?: string;
  readonly subresource?: "status" | "scale";
  readonly signal?: AbortSignal;
}

export interface DeleteOptions {
  readonly dryRun?: boolean;
  /** Default Background. */
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends Omit<ListOptions, "limit" | "continue"> {
  /** Go on after this version. Default: begin with all there is. */
  readonly resourceVersion?: string;
  /** Go on for ever over broken connections and 410. Default false: the iterable ends with the stream. */
  readonly reconnect?: boolean;
  /** Told each time a reconnecting watch lost the server. */
  readonly disconnected?: (error: unknown) => void;
}

export interface LogOptions {
  readonly namespace: string;
  readonly name: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly timestamps?: boolean;
  readonly signal?: AbortSignal;
}

export interface RawRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Default: the client's for GET, null for the rest; null: as long as it takes while the server shows that it lives. */
  readonly timeoutMs?: number | null;
}
