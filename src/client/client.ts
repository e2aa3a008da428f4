import { TownError } from "../errors/town-error.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { VerbResult } from "../resource/verb.ts";
import type {
  ConnectOptions,
  DeleteOptions,
  ListAnswer,
  ListOptions,
  LogOptions,
  ObjectName,
  RawRequest,
  TableAnswer,
  WatchOptions,
  WriteOptions,
} from "./client-types.ts";
import { DISCOVERY_ACCEPT, type DiscoveredResource, findResource, resourcesOf } from "./discovered-resource.ts";
import { httpTransport } from "./http-transport.ts";
import {
  deleteBody,
  failureOf,
  listRequest,
  parseJson,
  pathOf,
  queryText,
  signalOf,
  VERBS_PATH,
  writeRequest,
} from "./requests.ts";
import { sleep } from "./sleep.ts";
import type { Transport, TransportResponse } from "./transport.ts";
import { type ClientWatchEvent, watchOnce, watchReconnecting } from "./watch.ts";

export type * from "./client-types.ts";
export type { DiscoveredResource } from "./discovered-resource.ts";
export type { ClientWatchEvent } from "./watch.ts";

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
      { ...listRequest(which), body: deleteBody(options) },
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

  /** Calls a verb, however long it takes; a daemon that falls silent meanwhile still fails within the client's timeout. */
  async verb(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<VerbResult> {
    const request = { body: { args }, ...signalOf(options) };
    return (await this.json(`${VERBS_PATH}/${encodeURIComponent(name)}`, request, "POST")) as VerbResult;
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
    const text = await this.#textOf(response);
    return text === "" ? undefined : parseJson(text, path);
  }

  /**
   * Any request, with its answer as a stream. Throws ApiStatusError for every status of 400 and above. Reads are given the
   * timeout; writes, which may wait for git, as long as they take while the server answers liveness checks.
   */
  async raw(method: string, path: string, request: RawRequest = {}): Promise<TransportResponse> {
    const patient = request.timeoutMs === null || (request.timeoutMs === undefined && method !== "GET");
    const response = patient
      ? await this.#whileAlive(request.signal, (signal) => this.#send(method, path, request, { signal }))
      : await this.#send(method, path, request, {
          signal: request.signal,
          headTimeoutMs: request.timeoutMs ?? this.#timeoutMs,
        });
    if (response.status < 400) return response;
    throw failureOf(response.status, await this.#textOf(response));
  }

  #send(
    method: string,
    path: string,
    request: RawRequest,
    limits: { readonly signal: AbortSignal | undefined; readonly headTimeoutMs?: number | null },
  ): Promise<TransportResponse> {
    const { signal, headTimeoutMs } = limits;
    return this.#transport.send({
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
      ...(signal === undefined ? {} : { signal }),
      ...(headTimeoutMs === undefined || headTimeoutMs === null ? {} : { headTimeoutMs }),
    });
  }

  /** The whole body. A server that stops in the middle for longer than the timeout is given up. */
  async #textOf(response: TransportResponse): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let stalled = false;
    const arm = (): NodeJS.Timeout =>
      setTimeout(() => {
        stalled = true;
        response.discard();
      }, this.#timeoutMs);
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
    if (!stalled) return text + decoder.decode();
    throw new TownError("ServerSilent", `The town stopped in the middle of an answer for ${this.#timeoutMs} ms.`, {
      hint: "See `town doctor`.",
    });
  }

  /** What `work` gives, or the error of the first liveness check that is not answered; the work is aborted then. */
  async #whileAlive<T>(outer: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const lost = new AbortController();
    const done = new AbortController();
    const working = work(outer === undefined ? lost.signal : AbortSignal.any([outer, lost.signal]));
    working.catch(() => undefined);
    try {
      return await Promise.race([working, this.#untilSilent(done.signal)]);
    } catch (error) {
      lost.abort();
      throw error;
    } finally {
      done.abort();
    }
  }

  /** Never resolves; rejects once a liveness check is not answered in time. */
  async #untilSilent(done: AbortSignal): Promise<never> {
    const half = Math.ceil(this.#timeoutMs / 2);
    for (;;) {
      await sleep(half, done);
      if (done.aborted) return new Promise<never>(() => undefined);
      const response = await this.#send("GET", "/livez", { accept: "*/*" }, { signal: undefined, headTimeoutMs: half });
      response.discard();
    }
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 5_000;
  }
}
