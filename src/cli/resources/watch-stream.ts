import { ApiStatusError } from "../../errors/town-error.ts";
import type { Api } from "../connection/api.ts";

/** One line of a watch: `type` and the object, or a Table row, it is about. */
interface WatchLine<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: T;
}

/** The events of a watch path until the server ends it. An ERROR event throws as ApiStatusError (410: list again). */
export async function* watchLines<T>(
  api: Api,
  path: string,
  options: { readonly accept?: string; readonly signal?: AbortSignal },
): AsyncGenerator<WatchLine<T>> {
  let pending = "";
  for await (const chunk of api.stream({ method: "GET", path, ...options })) {
    pending += chunk;
    const lines = pending.split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield eventOf<T>(line);
  }
  if (pending.trim() !== "") yield eventOf<T>(pending);
}

function eventOf<T>(line: string): WatchLine<T> {
  const event = JSON.parse(line) as { type: string; object: T };
  if (event.type === "ERROR") {
    const status = event.object as { readonly code?: number; readonly reason?: string; readonly message?: string };
    throw new ApiStatusError(
      status.code ?? 500,
      status.reason ?? "InternalError",
      status.message ?? "the watch failed",
    );
  }
  return event as WatchLine<T>;
}
