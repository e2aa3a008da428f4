import { Buffer } from "node:buffer";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { booleanParameter, integerParameter, type ResourceRequest } from "./api-request.ts";
import { CONTAINER } from "./pods.ts";
import { badRequest, methodNotAllowed, notFound } from "./status.ts";

export interface LogLine {
  /** Without the line break. */
  readonly text: string;
  /** When it was written, ms since the epoch, as well as the source knows. */
  readonly timeMs: number;
}

/** Where the output of sessions is kept. */
export interface LogSource {
  /**
   * Lines of a session, oldest first: with `tailLines` only the last so many of those that exist; with `follow` also those
   * to come, until the session ends or the signal aborts. `previous`: of the run before this one. Undefined: no output is
   * kept.
   */
  lines(session: TownObject, request: LogRequest): Promise<AsyncIterable<LogLine> | undefined>;
  /** The last session of that name, when none runs: its output is kept longer than itself. */
  ended?(namespace: string | undefined, name: string): TownObject | undefined;
}

export interface LogRequest {
  readonly previous: boolean;
  readonly follow: boolean;
  readonly tailLines?: number;
  readonly signal: AbortSignal;
}

export interface PodLogs {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly source: LogSource | undefined;
}

const CHUNK_CHARACTERS = 64 * 1024;

/** GET of `pods/NAME/log`, and a clear refusal for exec, attach and port-forward. Undefined for other subresources. */
export function servePod(logs: PodLogs, request: ResourceRequest): Promise<Response> | undefined {
  switch (request.subresource) {
    case "log":
      return podLog(logs, request);
    case "exec":
    case "attach":
    case "portforward":
      throw methodNotAllowed(
        `pods/${request.subresource} is not served: use \`town attach ${request.name ?? ""}\` to see or type into the agent's terminal`,
      );
    default:
      return undefined;
  }
}

async function podLog(logs: PodLogs, request: ResourceRequest): Promise<Response> {
  const { query, resource, name = "", namespace } = request;
  const key = { kind: resource.storeKind, name, ...(namespace === undefined ? {} : { namespace }) };
  const session = logs.store.get(key) ?? logs.source?.ended?.(namespace, name);
  if (session === undefined) throw notFound(resource, name);
  const container = query.get("container") ?? "";
  if (container !== "" && container !== CONTAINER)
    throw badRequest(`container ${container} is not valid for pod ${name}`);
  const stop = new AbortController();
  const since = sinceMs(query, logs.clock);
  const tailLines = integerParameter(query, "tailLines");
  const previous = booleanParameter(query, "previous");
  const wanted = {
    previous,
    follow: booleanParameter(query, "follow"),
    signal: stop.signal,
    ...(tailLines === undefined ? {} : { tailLines }),
  };
  const lines = await logs.source?.lines(session, wanted);
  if (lines === undefined)
    throw badRequest(
      previous
        ? `previous terminated container "${CONTAINER}" in pod "${name}" not found`
        : `no output of pod "${name}" is kept`,
    );
  const shown = shape(lines, {
    since,
    timestamps: booleanParameter(query, "timestamps"),
    limitBytes: integerParameter(query, "limitBytes"),
  });
  return new Response(streamOf(shown, stop), {
    status: 200,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "transfer-encoding": "chunked",
      "cache-control": "no-cache, private",
    },
  });
}

function sinceMs(query: URLSearchParams, clock: Clock): number {
  const seconds = integerParameter(query, "sinceSeconds");
  const time = query.get("sinceTime") ?? "";
  if (seconds !== undefined && time !== "")
    throw badRequest("at most one of `sinceTime` or `sinceSeconds` may be specified");
  if (seconds !== undefined) return clock.now() - seconds * 1000;
  if (time === "") return Number.NEGATIVE_INFINITY;
  const at = Date.parse(time);
  if (Number.isNaN(at)) throw badRequest(`sinceTime: Invalid value: "${time}": must be an RFC 3339 time`);
  return at;
}

async function* shape(
  lines: AsyncIterable<LogLine>,
  how: { readonly since: number; readonly timestamps: boolean; readonly limitBytes: number | undefined },
): AsyncGenerator<Uint8Array> {
  let left = how.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const { text, timeMs } of lines) {
    if (timeMs < how.since) continue;
    const bytes = Buffer.from(`${how.timestamps ? `${nanoseconds(timeMs)} ` : ""}${text}\n`);
    if (bytes.byteLength > left) {
      yield bytes.subarray(0, left);
      return;
    }
    left -= bytes.byteLength;
    yield bytes;
  }
}

/** RFC 3339 with nanoseconds, as container runtimes write it. */
function nanoseconds(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000000Z");
}

/** Bytes as a body; lines that are there at once travel together. A reader that leaves stops the source. */
function streamOf(lines: AsyncGenerator<Uint8Array>, stop: AbortController): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await lines.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: async () => {
        stop.abort();
        await lines.return(undefined);
      },
    },
    { highWaterMark: CHUNK_CHARACTERS, size: (chunk) => chunk?.byteLength ?? 0 },
  );
}
