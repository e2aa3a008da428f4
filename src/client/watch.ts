import { ApiStatusError, TownError } from "../errors/town-error.ts";
import type { TownObject } from "../resource/object-meta.ts";

/** What a watch tells. With `reconnect`, `RESET` gives everything there is: forget what you knew. */
export type ClientWatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: TownObject }
  | { readonly type: "BOOKMARK"; readonly object: { readonly metadata: { readonly resourceVersion: string } } }
  | { readonly type: "RESET"; readonly items: readonly TownObject[] };

export interface WatchSource {
  /** Lines of one watch from a version on. */
  open(resourceVersion: string): Promise<AsyncIterable<Uint8Array>>;
  list(): Promise<{ readonly items: readonly TownObject[]; readonly resourceVersion: string }>;
  sleep(ms: number): Promise<void>;
  readonly aborted: () => boolean;
  readonly disconnected: (error: unknown) => void;
}

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 5_000;

/** Events of one connection. An ERROR event is thrown as ApiStatusError. */
export async function* watchOnce(lines: AsyncIterable<Uint8Array>): AsyncGenerator<ClientWatchEvent> {
  for await (const line of splitLines(lines)) {
    const event = parse(line);
    if (event.type === "ERROR") throw statusError(event.object);
    yield event as ClientWatchEvent;
  }
}

/**
 * Events for ever: a broken or ended stream is opened again where it stopped; a version the server no longer knows (410)
 * leads to a new list, told as RESET. Ends when aborted.
 */
export async function* watchReconnecting(
  source: WatchSource,
  resourceVersion: string | undefined,
): AsyncGenerator<ClientWatchEvent> {
  let version = resourceVersion;
  let delayMs = FIRST_DELAY_MS;
  while (!source.aborted()) {
    try {
      if (version === undefined) {
        const { items, resourceVersion: listed } = await source.list();
        version = listed;
        yield { type: "RESET", items };
        if (source.aborted()) return;
      }
      for await (const event of watchOnce(await source.open(version))) {
        delayMs = FIRST_DELAY_MS;
        if (event.type !== "RESET") version = event.object.metadata.resourceVersion;
        if (event.type !== "BOOKMARK") yield event;
      }
    } catch (error) {
      if (source.aborted()) return;
      if (error instanceof ApiStatusError && error.code === 410) version = undefined;
      else if (error instanceof ApiStatusError && error.code < 500 && error.code !== 429) throw error;
      else source.disconnected(error);
    }
    await source.sleep(delayMs);
    delayMs = Math.min(delayMs * 2, LAST_DELAY_MS);
  }
}

export function statusError(body: unknown): ApiStatusError {
  const { code, reason, message, details } = body as {
    code?: number;
    reason?: string;
    message?: string;
    details?: Record<string, unknown>;
  };
  const { causes, ...rest } = details ?? {};
  return new ApiStatusError(code ?? 500, reason ?? "Unknown", message ?? "the server gave no reason", {
    details: rest,
    ...(Array.isArray(causes) ? { causes } : {}),
  });
}

async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") yield part;
  }
  if (rest.trim() !== "") throw new TownError("BrokenStream", "The watch stream ended in the middle of an event.");
}

function parse(line: string): { readonly type: string; readonly object: unknown } {
  try {
    return JSON.parse(line) as { type: string; object: unknown };
  } catch (error) {
    throw new TownError("BrokenStream", "The watch stream holds a line that is no JSON.", { cause: error });
  }
}
