import { TownError } from "../errors/town-error.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Cell, ColumnDefinition } from "../resource/table.ts";
import type { VerbResult } from "../resource/verb.ts";
import { DISCOVERY_ACCEPT, type DiscoveredResource, findResource, resourcesOf } from "./discovered-resource.ts";
import { httpTransport, type ServerAddress } from "./http-transport.ts";
import type { Transport, TransportResponse } from "./transport.ts";
import { type ClientWatchEvent, statusError, watchOnce, watchReconnecting } from "./watch.ts";

export type { DiscoveredResource } from "./discovered-resource.ts";
export type { ServerAddress } from "./http-transport.ts";
export type { ClientWatchEvent } from "./watch.ts";

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
  /** Default: the client's; null: as long as it takes. */
  readonly timeoutMs?: number | null;
}

const TABLE_ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/**
 * A client of the API server. All methods throw ApiStatusError with the server's Status, or TownError
 * `ServerUnreachable`, `ServerSilent`, `Aborted`. Nothing is sent before the first call.
 */
export function connect(options: ConnectOptions): Client {
  return new Client(options);
}

export class Client {
  readonly #transport: Transport;
  readonly #options: ConnectOptions;
  #resources: Promise<readonly DiscoveredResource[]> | undefined;

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.#transport = "send" in options.server ? options.server : httpTransport(options.server);
  }

  close(): void {
    this.#transport.close();
  }

  /** Everything the server serves; asked for once per client. */
  resources(): Promise<readonly DiscoveredResource[]> {
    this.#resources ??= Promise.all(
      ["/api", "/apis"].map((path) => this.json(path, { accept: DISCOVERY_ACCEPT })),
    ).then((bodies) => bodies.flatMap(resourcesOf));
    this.#resources.catch(() => {
      this.#resources = undefined;
    });
    return this.#resources;
  }

  /** By plural, singular, short name, kind or `plural.group`. */
  async resource(name: string): Promise<DiscoveredResource> {
    return findResource(await this.resources(), name);
  }

  async get(
    resource: DiscoveredResource,
    object: ObjectName,
    options: { readonly subresource?: "status" | "scale"; readonly signal?: AbortSignal } = {},
  ): Promise<TownObject> {
    return (await this.json(
      pathOf(resource, object.namespace, object.name, options.subresource),
      signalOf(options),
    )) as TownObject;
  }

  async getTable(resource: DiscoveredResource, object: ObjectName): Promise<TableAnswer> {
    return (await this.json(pathOf(resource, object.namespace, object.name), { accept: TABLE_ACCEPT })) as TableAnswer;
  }

  async list(resource: DiscoveredResource, options: ListOptions = {}): Promise<ListAnswer> {
    return (await this.json(pathOf(resource, options.namespace), listRequest(options))) as ListAnswer;
  }

  async listTable(
    resource: DiscoveredResource,
    options: ListOptions & { readonly includeObject?: "None" | "Metadata" | "Object" } = {},
  ): Promise<TableAnswer> {
    const request = listRequest(options);
    return (await this.json(pathOf(resource, options.namespace), {
      ...request,
      accept: TABLE_ACCEPT,
      query: { ...request.query, includeObject: options.includeObject },
    })) as TableAnswer;
  }

  /** `object` needs apiVersion, kind, metadata and spec; its namespace is where it is made. */
  async create(
    resource: DiscoveredResource,
    object: Readonly<Record<string, unknown>>,
    options: WriteOptions & { readonly namespace?: string } = {},
  ): Promise<TownObject> {
    const metadata = (object["metadata"] ?? {}) as { readonly namespace?: string };
    return (await this.json(
      pathOf(resource, options.namespace ?? metadata.namespace),
      { ...writeRequest(options), body: object },
      "POST",
    )) as TownObject;
  }

  /** The whole object, with the resourceVersion it was made from. */
  async replace(resource: DiscoveredResource, object: TownObject, options: WriteOptions = {}): Promise<TownObject> {
    const { namespace, name } = object.metadata;
    return (await this.json(
      pathOf(resource, namespace, name, options.subresource),
      { ...writeRequest(options), body: object },
      "PUT",
    )) as TownObject;
  }

  /** Default type: merge patch. */
  async patch(
    resource: DiscoveredResource,
    object: ObjectName,
    patch: unknown,
    options: WriteOptions & { readonly type?: "merge" | "json" } = {},
  ): Promise<TownObject> {
    const contentType = options.type === "json" ? "application/json-patch+json" : "application/merge-patch+json";
    return (await this.json(
      pathOf(resource, object.namespace, object.name, options.subresource),
      { ...writeRequest(options), body: patch, contentType },
      "PATCH",
    )) as TownObject;
  }

  /** A Status with `status: Success` when it is gone, the object while finalizers hold it. */
  async delete(resource: DiscoveredResource, object: ObjectName, options: DeleteOptions = {}): Promise<unknown> {
    return this.json(
      pathOf(resource, object.namespace, object.name),
      { ...signalOf(options), body: deleteBody(options) },
      "DELETE",
    );
  }

  /** Everything that the selectors mean; answers the deleted objects. */
  async deleteAll(resource: DiscoveredResource, which: ListOptions, options: DeleteOptions = {}): Promise<ListAnswer> {
    return (await this.json(
      pathOf(resource, which.namespace),
      { ...listRequest(which), body: deleteBody(options), timeoutMs: null },
      "DELETE",
    )) as ListAnswer;
  }

  /** Live changes; stop by leaving the loop or by the signal. */
  async *watch(resource: DiscoveredResource, options: WatchOptions = {}): AsyncGenerator<ClientWatchEvent> {
    const stop = new AbortController();
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    const query = { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector };
    const open = async (resourceVersion: string | undefined): Promise<AsyncIterable<Uint8Array>> => {
      const response = await this.raw("GET", pathOf(resource, options.namespace), {
        signal,
        query: { ...query, watch: true, allowWatchBookmarks: true, resourceVersion },
      });
      return response.body;
    };
    try {
      if (options.reconnect !== true) {
        yield* watchOnce(await open(options.resourceVersion));
        return;
      }
      const list = async () => {
        const { items, metadata } = await this.list(resource, {
          ...query,
          ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
          signal,
        } as ListOptions);
        return { items, resourceVersion: metadata.resourceVersion };
      };
      yield* watchReconnecting(
        {
          open,
          list,
          sleep: (ms) => sleep(ms, signal),
          aborted: () => signal.aborted,
          disconnected: options.disconnected ?? (() => undefined),
        },
        options.resourceVersion,
      );
    } catch (error) {
      if (options.signal?.aborted !== true) throw error;
    } finally {
      stop.abort();
    }
  }

  async verbs(): Promise<readonly { readonly name: string; readonly summary: string; readonly needs: string }[]> {
    const { items } = (await this.json(VERBS_PATH)) as {
      items: readonly { name: string; summary: string; needs: string }[];
    };
    return items;
  }

  /**
   * Calls a verb. It may take long: instead of a time limit, the server must answer a liveness check every few seconds, so
   * a silent daemon still fails within the client's timeout.
   */
  async verb(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<VerbResult> {
    const stop = new AbortController();
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    const call = this.json(
      `${VERBS_PATH}/${encodeURIComponent(name)}`,
      { body: { args }, signal, timeoutMs: null },
      "POST",
    );
    call.catch(() => undefined);
    try {
      return (await Promise.race([call, this.#untilSilent(signal)])) as VerbResult;
    } finally {
      stop.abort();
    }
  }

  /** Output of a session, as it comes. */
  async *logs(options: LogOptions): AsyncGenerator<Uint8Array> {
    const { namespace, name, signal, follow, previous, tailLines, sinceSeconds, timestamps } = options;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log`;
    const response = await this.raw("GET", path, {
      accept: "*/*",
      query: { follow, previous, tailLines, sinceSeconds, timestamps },
      ...(signal === undefined ? {} : { signal }),
    });
    try {
      yield* response.body;
    } finally {
      response.discard();
    }
  }

  /** The JSON answer of any request. Throws ApiStatusError for every status of 400 and above. */
  async json(path: string, request: RawRequest = {}, method = "GET"): Promise<unknown> {
    const response = await this.raw(method, path, request);
    const text = await this.#textOf(response, request);
    return text === "" ? undefined : parseJson(text, path);
  }

  /** Any request, with its answer as a stream. Throws ApiStatusError for every status of 400 and above. */
  async raw(method: string, path: string, request: RawRequest = {}): Promise<TransportResponse> {
    const timeoutMs = request.timeoutMs === undefined ? this.#timeoutMs : request.timeoutMs;
    const response = await this.#transport.send({
      method,
      path: path + queryText(request.query),
      headers: {
        host: "localhost",
        authorization: `Bearer ${this.#options.token}`,
        accept: request.accept ?? "application/json",
        "user-agent": this.#options.userAgent ?? "town",
        ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      ...(timeoutMs === null ? {} : { headTimeoutMs: timeoutMs }),
    });
    if (response.status < 400) return response;
    throw failureOf(response.status, await this.#textOf(response, request));
  }

  /** The whole body. A server that stops in the middle for longer than the timeout is given up. */
  async #textOf(response: TransportResponse, { timeoutMs }: RawRequest): Promise<string> {
    const limit = timeoutMs === undefined ? this.#timeoutMs : timeoutMs;
    const decoder = new TextDecoder();
    let text = "";
    let stalled = false;
    const arm = (): NodeJS.Timeout | undefined =>
      limit === null
        ? undefined
        : setTimeout(() => {
            stalled = true;
            response.discard();
          }, limit);
    let timer = arm();
    try {
      for await (const chunk of response.body) {
        clearTimeout(timer);
        timer = arm();
        text += decoder.decode(chunk, { stream: true });
      }
    } catch (error) {
      if (!stalled) throw error;
    } finally {
      clearTimeout(timer);
    }
    if (stalled)
      throw new TownError(
        "ServerSilent",
        `The town stopped answering in the middle of an answer for ${String(limit)} ms.`,
        { hint: "See `town doctor`." },
      );
    return text + decoder.decode();
  }

  /** Never resolves; rejects once a liveness check is not answered in time. */
  async #untilSilent(signal: AbortSignal): Promise<never> {
    const half = Math.ceil(this.#timeoutMs / 2);
    for (;;) {
      await sleep(half, signal);
      if (signal.aborted) return new Promise<never>(() => undefined);
      const response = await this.raw("GET", "/livez", { accept: "*/*", timeoutMs: half });
      response.discard();
    }
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 5_000;
  }
}

const VERBS_PATH = "/apis/work.town.dev/v1alpha1/verbs";

/** REST path of a resource, an object of it, or a subresource of that. */
export function pathOf(
  { group, version, plural, namespaced }: Pick<DiscoveredResource, "group" | "version" | "plural" | "namespaced">,
  namespace?: string,
  name?: string,
  subresource?: string,
): string {
  const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const parts = namespaced && namespace !== undefined ? ["namespaces", namespace, plural] : [plural];
  return [
    base,
    ...[...parts, ...[name, subresource].filter((part) => part !== undefined)].map(encodeURIComponent),
  ].join("/");
}

function listRequest({ labelSelector, fieldSelector, limit, signal, ...rest }: ListOptions): RawRequest {
  return {
    query: { labelSelector, fieldSelector, limit, continue: rest.continue },
    ...signalOf({ ...(signal === undefined ? {} : { signal }) }),
  };
}

function writeRequest({ dryRun, fieldValidation, fieldManager, signal }: WriteOptions): RawRequest {
  return {
    query: { dryRun: dryRun === true ? "All" : undefined, fieldValidation: fieldValidation ?? "Strict", fieldManager },
    ...(signal === undefined ? {} : { signal }),
  };
}

function deleteBody({ dryRun, propagationPolicy, uid, resourceVersion }: DeleteOptions): unknown {
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: propagationPolicy ?? "Background",
    ...(dryRun === true ? { dryRun: ["All"] } : {}),
    ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
  };
}

function signalOf({ signal }: { readonly signal?: AbortSignal }): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function queryText(query: RawRequest["query"]): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined || value === "" || value === false ? [] : [[name, String(value)]],
  );
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs as [string, string][]).toString()}`;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TownError("NotJson", `The answer to ${path} is no JSON: ${text.slice(0, 100)}`, { cause: error });
  }
}

function failureOf(code: number, text: string): Error {
  try {
    const body: unknown = JSON.parse(text);
    if ((body as { readonly kind?: unknown }).kind === "Status") return statusError(body);
  } catch {
    // Plain text, told as it is.
  }
  return statusError({
    code,
    reason: code === 404 ? "NotFound" : "Unknown",
    message: text.trim() === "" ? `the server answered ${code}` : text.trim(),
  });
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
