import { Buffer } from "node:buffer";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { WatchEvent } from "../ports/objects.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { type Rendering, renderBookmark, renderEvent } from "./answer-shape.ts";
import { type ApiResource, viewOfEvent } from "./api-resource.ts";
import { jsonBytesOf } from "./json-bytes.ts";
import { type Selection } from "./selection.ts";
import { expired, statusOf } from "./status.ts";
import { WatchStream } from "./watch-stream.ts";

export interface WatchRequest {
  readonly resource: ApiResource;
  readonly selection: Selection;
  readonly rendering: Rendering;
  /** Undefined: begin with every object there is. */
  readonly since: string | undefined;
  /** After the first objects, a bookmark that says so. */
  readonly markInitialEnd: boolean;
  readonly bookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
}

type Lines = Map<string, Uint8Array>;

interface Watcher {
  readonly request: WatchRequest;
  readonly stream: WatchStream;
  sentOne: boolean;
}

export interface WatchHubOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes that may wait for one watcher. Default 8 MiB. */
  readonly limitBytes?: number;
  /** Default 60 s. */
  readonly bookmarkEveryMs?: number;
}

const INITIAL_BATCH = 200;

/**
 * All open watches. One subscription to the store feeds them; each event is rendered once per shape and shared by every
 * watcher that asked for it.
 */
export class WatchHub {
  readonly #options: WatchHubOptions;
  readonly #byKind = new Map<string, Set<Watcher>>();
  readonly #unsubscribe: () => void;
  #bookmarking: AbortController | undefined;

  constructor(options: WatchHubOptions) {
    this.#options = options;
    this.#unsubscribe = options.store.subscribe((event) => this.#deliver(event));
  }

  /** How many watches are open. */
  get size(): number {
    let count = 0;
    for (const watchers of this.#byKind.values()) count += watchers.size;
    return count;
  }

  /** The body of a watch's answer; a reader that cancels it ends the watch. */
  open(request: WatchRequest, initial: readonly TownObject[]): ReadableStream<Uint8Array> {
    const missed = request.since === undefined ? [] : this.#options.store.eventsSince(request.since);
    const watcher: Watcher = {
      request,
      stream: this.#streamOf(request, missed === "Expired" ? "Expired" : initial, () => this.#close(watcher, gone)),
      sentOne: false,
    };
    const gone = new AbortController();
    if (missed === "Expired") {
      watcher.stream.end();
      return watcher.stream.body;
    }
    watcher.sentOne = initial.length > 0;
    for (const event of missed)
      if (event.object.kind === request.resource.storeKind)
        this.#offer(watcher, viewOfEvent(request.resource, event), new Map());
    const watchers = this.#byKind.get(request.resource.storeKind) ?? new Set();
    this.#byKind.set(request.resource.storeKind, watchers.add(watcher));
    if (request.timeoutSeconds !== undefined) void this.#endAfter(watcher, request.timeoutSeconds * 1000, gone.signal);
    if (request.bookmarks) this.#startBookmarks();
    return watcher.stream.body;
  }

  /** Ends every watch after what waits was sent. */
  close(): void {
    this.#unsubscribe();
    this.#bookmarking?.abort();
    for (const watchers of this.#byKind.values()) for (const { stream } of watchers) stream.end();
  }

  #streamOf(request: WatchRequest, initial: readonly TownObject[] | "Expired", closed: () => void): WatchStream {
    const { store, limitBytes } = this.#options;
    const tooSlow = errorLine("the watch was too slow and missed events");
    const lines =
      initial === "Expired"
        ? [errorLine(`too old resource version: ${request.since ?? ""} (${store.currentVersion()})`)].values()
        : initialLines(request, initial, store.currentVersion());
    return new WatchStream({ initial: lines, limitBytes: limitBytes ?? 8 * 1024 * 1024, tooSlow, closed });
  }

  #deliver(event: WatchEvent): void {
    const watchers = this.#byKind.get(event.object.kind);
    if (watchers === undefined || watchers.size === 0) return;
    const perResource = new Map<ApiResource, { readonly event: WatchEvent; readonly lines: Lines }>();
    for (const watcher of watchers) {
      const { resource } = watcher.request;
      const shared = perResource.get(resource) ?? { event: viewOfEvent(resource, event), lines: new Map() };
      perResource.set(resource, shared);
      this.#offer(watcher, shared.event, shared.lines);
    }
  }

  #offer(watcher: Watcher, event: WatchEvent, lines: Lines): void {
    const { resource, selection, rendering } = watcher.request;
    const type = typeFor(selection, event);
    if (type === undefined) return;
    const first = !watcher.sentOne;
    watcher.sentOne = true;
    const id = `${type} ${rendering.shape} ${rendering.includeObject} ${String(first && rendering.shape === "Table")}`;
    let line = lines.get(id);
    if (line === undefined) {
      line = eventLine(
        type,
        renderEvent(resource, event.object, { ...rendering, nowMs: this.#options.clock.now() }, first),
      );
      lines.set(id, line);
    }
    const before = watcher.stream.over;
    watcher.stream.push(line);
    if (!before && watcher.stream.over) this.#options.log.warn({ kind: resource.kind }, "slow watcher dropped");
  }

  #startBookmarks(): void {
    if (this.#bookmarking !== undefined) return;
    const stop = new AbortController();
    this.#bookmarking = stop;
    void this.#sendBookmarks(stop.signal);
  }

  async #sendBookmarks(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(this.#options.bookmarkEveryMs ?? 60_000, signal);
      if (signal.aborted) return;
      for (const watchers of this.#byKind.values()) for (const watcher of watchers) this.#bookmark(watcher);
    }
  }

  #bookmark(watcher: Watcher): void {
    const { request, stream } = watcher;
    if (!request.bookmarks) return;
    stream.push(
      eventLine("BOOKMARK", renderBookmark(request.resource, this.#options.store.currentVersion(), request.rendering)),
    );
  }

  async #endAfter(watcher: Watcher, ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, signal);
    if (signal.aborted) return;
    this.#bookmark(watcher);
    watcher.stream.end();
  }

  #close(watcher: Watcher, gone: AbortController): void {
    gone.abort();
    this.#byKind.get(watcher.request.resource.storeKind)?.delete(watcher);
    const left = [...this.#byKind.values()].some((watchers) => [...watchers].some(({ request }) => request.bookmarks));
    if (left) return;
    this.#bookmarking?.abort();
    this.#bookmarking = undefined;
  }
}

/** An object that comes to match is ADDED, one that ceases to match is DELETED, whatever happened to it in the store. */
function typeFor(selection: Selection, { type, object, previous }: WatchEvent): WatchEvent["type"] | undefined {
  const matches = selection.matches(object);
  switch (type) {
    case "MODIFIED": {
      const matched = previous === undefined ? matches : selection.matches(previous);
      if (matches) return matched ? "MODIFIED" : "ADDED";
      return matched ? "DELETED" : undefined;
    }
    default:
      return matches ? type : undefined;
  }
}

function* initialLines(request: WatchRequest, objects: readonly TownObject[], version: string): Generator<Uint8Array> {
  for (let at = 0; at < objects.length; at += INITIAL_BATCH) {
    const batch = objects.slice(at, at + INITIAL_BATCH);
    yield Buffer.concat(
      batch.map((object, index) =>
        eventLine("ADDED", renderEvent(request.resource, object, request.rendering, at + index === 0)),
      ),
    );
  }
  if (request.markInitialEnd)
    yield eventLine(
      "BOOKMARK",
      renderBookmark(request.resource, version, request.rendering, { "k8s.io/initial-events-end": "true" }),
    );
}

function errorLine(message: string): Uint8Array {
  return eventLine("ERROR", statusOf(expired(message)));
}

function eventLine(type: string, object: unknown): Uint8Array {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), jsonBytesOf(object), LINE_END]);
}

const LINE_END = Buffer.from("}\n");
