import { connect, type Socket } from "node:net";
import { CliError, EXIT } from "../exit-codes.ts";
import type { Api, ApiAnswer, ApiRequest } from "./api.ts";
import { statusError } from "./api-status.ts";
import { ResponseParser } from "./http-response.ts";
import type { Target } from "./town-location.ts";

/** After this long without an answer the daemon is asked whether it lives. */
const PROBE_AFTER_MS = 2500;
const PROBE_TIMEOUT_MS = 2000;
/**
 * A daemon that answers none of so many probes in a row counts as silent: together under 9 s. One says little: on a machine
 * that does too much at once the daemon, or this process, may not run for seconds.
 */
const PROBES = 3;

interface Handlers {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  data(chunk: Buffer): void;
  end(): void;
  fail(error: Error): void;
}

/** The API over the daemon's unix socket, one connection a request. */
export function socketApi(target: Target, userAgent: string): Api {
  return {
    send: (request) => send(target, userAgent, request),
    stream: (request) => stream(target, userAgent, request),
  };
}

function send(target: Target, userAgent: string, request: ApiRequest): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let headers: Readonly<Record<string, string>> = {};
    exchange(target, userAgent, request, {
      head: (code, fields) => {
        status = code;
        headers = fields;
      },
      data: (chunk) => chunks.push(chunk),
      end: () =>
        resolve({
          status,
          contentType: headers["content-type"] ?? "",
          text: Buffer.concat(chunks).toString(),
          warnings: warningsOf(headers),
        }),
      fail: reject,
    });
  });
}

async function* stream(target: Target, userAgent: string, request: ApiRequest): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const queue: Buffer[] = [];
  let status = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake = (): void => {};
  const close = exchange(target, userAgent, request, {
    head: (code) => {
      status = code;
    },
    data: (chunk) => {
      queue.push(chunk);
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
    fail: (error) => {
      failure = error;
      wake();
    },
  });
  let errorBody = "";
  try {
    for (;;) {
      for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
        const text = decoder.decode(chunk, { stream: true });
        if (status === 200) yield text;
        else errorBody += text;
      }
      if (failure !== undefined) throw failure;
      if (ended) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (queue.length > 0 || ended || failure !== undefined) resolve();
      });
    }
  } finally {
    close();
  }
  if (status !== 200) throw statusError({ status, text: errorBody });
}

/** Writes the request and feeds the answer to the handlers; exactly one of `end` and `fail` is called, once. Returns what closes it early. */
function exchange(target: Target, userAgent: string, request: ApiRequest, handlers: Handlers): () => void {
  const socket = connect(target.socketPath);
  let settled = false;
  let deadline: NodeJS.Timeout | undefined;
  let suspicion: NodeJS.Timeout | undefined;
  const settle = (error?: Error): void => {
    if (settled) return;
    settled = true;
    clearTimeout(deadline);
    clearTimeout(suspicion);
    request.signal?.removeEventListener("abort", abort);
    socket.destroy();
    if (error !== undefined) handlers.fail(error);
  };
  const abort = (): void => settle(interrupted());
  const parser = new ResponseParser({
    head: (status, headers) => {
      clearTimeout(suspicion);
      suspicion = undefined;
      handlers.head(status, headers);
    },
    data: (chunk) => handlers.data(chunk),
    end: () => {
      settle();
      handlers.end();
    },
  });
  const suspect = async (): Promise<void> => {
    let alive = false;
    for (let probes = 0; probes < PROBES && !alive; probes += 1) {
      alive = await probe(target, userAgent);
      if (settled || suspicion === undefined) return;
    }
    if (alive) suspicion = setTimeout(() => void suspect(), PROBE_AFTER_MS);
    else settle(silent(target));
  };
  suspicion = setTimeout(() => void suspect(), PROBE_AFTER_MS);
  if (request.timeoutMs !== undefined) deadline = setTimeout(() => settle(tooLate(request)), request.timeoutMs);
  request.signal?.addEventListener("abort", abort);
  if (request.signal?.aborted === true) queueMicrotask(abort);
  socket.on("connect", () => socket.write(requestText(target, userAgent, request)));
  socket.on(
    "data",
    guarded(settle, target, (chunk: Buffer) => parser.feed(chunk)),
  );
  socket.on(
    "end",
    guarded(settle, target, () => parser.close()),
  );
  socket.on("error", (error: NodeJS.ErrnoException) => settle(unreachable(target, error)));
  return () => settle();
}

function guarded<A extends unknown[]>(
  settle: (error: Error) => void,
  target: Target,
  act: (...args: A) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      act(...args);
    } catch (error) {
      settle(unreachable(target, error as Error));
    }
  };
}

/** True when the daemon answers anything at all within PROBE_TIMEOUT_MS. */
function probe(target: Target, userAgent: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(target.socketPath);
    const finish = (alive: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    const timer = setTimeout(() => finish(false), PROBE_TIMEOUT_MS);
    socket.on("connect", () => socket.write(requestText(target, userAgent, { method: "GET", path: "/livez" })));
    socket.on("data", () => finish(true));
    socket.on("error", () => finish(false));
    socket.on("end", () => finish(false));
  });
}

function requestText(target: Target, userAgent: string, request: ApiRequest): string {
  const lines = [
    `${request.method} ${request.path} HTTP/1.1`,
    "Host: localhost",
    "Connection: close",
    `Authorization: Bearer ${target.token}`,
    `User-Agent: ${userAgent}`,
    `Accept: ${request.accept ?? "application/json"}`,
  ];
  if (request.body !== undefined) {
    lines.push(
      `Content-Type: ${request.contentType ?? "application/json"}`,
      `Content-Length: ${Buffer.byteLength(request.body)}`,
    );
  } else if (request.method !== "GET") lines.push("Content-Length: 0");
  return `${lines.join("\r\n")}\r\n\r\n${request.body ?? ""}`;
}

/** `299 - "text", 299 - "text"` to texts (RFC 7234, 5.5). */
function warningsOf(headers: Readonly<Record<string, string>>): string[] {
  return [...(headers["warning"] ?? "").matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] ?? "").replace(/\\(.)/g, "$1"),
  );
}

function unreachable(target: Target, error: NodeJS.ErrnoException): CliError {
  const where = `the daemon of ${target.town} at ${target.socketPath}`;
  if (error.code === "ENOENT" || error.code === "ECONNREFUSED") {
    return new CliError(
      EXIT.unreachable,
      "ServerGone",
      `Cannot reach ${where}: nothing listens there (it was stopped or killed)`,
      "start it with `town up -d`",
    );
  }
  return new CliError(
    EXIT.unreachable,
    "ServerUnreachable",
    `Lost ${where}`,
    "the request may have been carried out or not: look before you repeat it; `town up -d` starts a daemon that stopped",
    error,
  );
}

function silent(target: Target): CliError {
  return new CliError(
    EXIT.unreachable,
    "ServerSilent",
    `Cannot reach the daemon of ${target.town}: it accepts connections but does not answer`,
    "see `town doctor` and the log in the town's state directory; `town down` then `town up -d` restarts it",
  );
}

function tooLate(request: ApiRequest): CliError {
  return new CliError(
    EXIT.timedOut,
    "RequestTimedOut",
    `${request.method} ${request.path.split("?")[0]} was not answered within ${request.timeoutMs} ms`,
  );
}

function interrupted(): Error {
  const error = new Error("interrupted");
  error.name = "AbortError";
  return error;
}
