import { TownError } from "../errors/town-error.ts";
import type { Transport } from "./transport.ts";

/** Anything with the shape of a fetch handler; a Hono application's `fetch` is one. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

/** Requests answered within this process: for commands without a daemon. */
export function fetchTransport(handler: FetchHandler): Transport {
  return {
    send: async ({ method, path, headers, body, signal }) => {
      const response = await handler(
        new Request(`http://localhost${path}`, {
          method,
          headers,
          ...(body === undefined ? {} : { body }),
          ...(signal === undefined ? {} : { signal }),
        }),
      );
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: chunksOf(response.body, signal),
        discard: () => void response.body?.cancel().catch(() => undefined),
      };
    },
    close: () => undefined,
  };
}

async function* chunksOf(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  const abort = (): void => void reader.cancel().catch(() => undefined);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    if (signal?.aborted === true) throw new TownError("Aborted", "The request was aborted.");
  } finally {
    signal?.removeEventListener("abort", abort);
    abort();
  }
}
