import { Buffer } from "node:buffer";
import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { Agent as TlsAgent, request as httpsRequest } from "node:https";
import { TownError } from "../errors/town-error.ts";
import type { Transport, TransportRequest, TransportResponse } from "./transport.ts";

/** Where the server listens. */
export type ServerAddress =
  | { readonly socketPath: string }
  /** `certificateAuthority` (PEM) makes it https. */
  | { readonly host: string; readonly port: number; readonly certificateAuthority?: string };

/** Requests over a unix socket or TCP, on connections that are kept. Throws TownError `ServerUnreachable`, `ServerSilent`. */
export function httpTransport(address: ServerAddress): Transport {
  const tls = "port" in address && address.certificateAuthority !== undefined;
  const agent = tls
    ? new TlsAgent({ keepAlive: true, ca: address.certificateAuthority })
    : new Agent({ keepAlive: true });
  const where = "socketPath" in address ? address.socketPath : `${address.host}:${address.port}`;
  const target: RequestOptions =
    "socketPath" in address ? { socketPath: address.socketPath } : { host: address.host, port: address.port };
  const open = tls ? httpsRequest : httpRequest;
  const once = (request: TransportRequest): Promise<TransportResponse> =>
    exchange(
      () => open({ ...target, agent, method: request.method, path: request.path, headers: headersOf(request) }),
      request,
      where,
    );
  return {
    send: async (request) => {
      try {
        return await once(request);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        if (request.method !== "GET") throw unreachable(where, error.cause);
        return once(request);
      }
    },
    close: () => agent.destroy(),
  };
}

/** A kept connection that the server had closed meanwhile: a GET is simply sent again. */
class StaleConnection extends Error {}

function exchange(
  open: () => ClientRequest,
  { body, signal, headTimeoutMs }: TransportRequest,
  where: string,
): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(aborted());
    const request = open();
    const silent =
      headTimeoutMs === undefined
        ? undefined
        : setTimeout(() => fail(silentServer(where, headTimeoutMs)), headTimeoutMs);
    const abort = (): void => fail(aborted());
    const settle = (): void => clearTimeout(silent);
    const fail = (error: Error): void => {
      settle();
      signal?.removeEventListener("abort", abort);
      reject(error);
      request.destroy();
    };
    signal?.addEventListener("abort", abort, { once: true });
    request.once("error", (error: NodeJS.ErrnoException) =>
      fail(
        request.reusedSocket && isReset(error)
          ? new StaleConnection("stale", { cause: error })
          : unreachable(where, error),
      ),
    );
    request.once("response", (message) => {
      settle();
      signal?.removeEventListener("abort", abort);
      resolve(responseOf(message, signal, where));
    });
    request.end(body);
  });
}

function responseOf(message: IncomingMessage, signal: AbortSignal | undefined, where: string): TransportResponse {
  const abort = (): void => {
    message.destroy();
  };
  signal?.addEventListener("abort", abort, { once: true });
  message.once("close", () => signal?.removeEventListener("abort", abort));
  return {
    status: message.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
    ),
    body: chunks(message, signal, where),
    discard: () => void message.destroy(),
  };
}

async function* chunks(
  message: IncomingMessage,
  signal: AbortSignal | undefined,
  where: string,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of message) yield chunk as Uint8Array;
  } catch (error) {
    throw signal?.aborted === true ? aborted() : unreachable(where, error);
  }
}

/** A DELETE body without Content-Length loses its framing in node:http, hence always one. */
function headersOf({ headers, body }: TransportRequest): Record<string, string> {
  return body === undefined ? { ...headers } : { ...headers, "content-length": String(Buffer.byteLength(body)) };
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

function unreachable(where: string, cause: unknown): TownError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const why =
    code === "ENOENT"
      ? "there is no socket"
      : code === "ECONNREFUSED"
        ? "nobody listens"
        : cause instanceof Error
          ? cause.message
          : String(cause);
  return new TownError("ServerUnreachable", `Cannot reach the town at ${where}: ${why}.`, {
    cause,
    hint: "Start it with `town up`.",
  });
}

function silentServer(where: string, ms: number): TownError {
  return new TownError(
    "ServerSilent",
    `The town at ${where} did not answer within ${ms} ms, although something listens there.`,
    { hint: "See `town doctor`; `town down --force && town up` restarts it." },
  );
}

function aborted(): TownError {
  return new TownError("Aborted", "The request was aborted.");
}
