import { ApiStatusError } from "../errors/town-error.ts";
import { booleanParameter, integerParameter, type ResourceRequest } from "./api-request.ts";
import { parseVersion, type Reading, renderingOf, selected } from "./reading.ts";
import { selectionOf } from "./selection.ts";
import type { WatchHub } from "./watch-hub.ts";

/**
 * `watch=true`: a stream of JSON lines. Without a version, with "0" or with sendInitialEvents it begins with all there
 * is; else with what came after the version, or one ERROR 410 when that is not known any more.
 */
export function watch(reading: Reading, hub: WatchHub, request: ResourceRequest): ReadableStream<Uint8Array> {
  const { query } = request;
  const rendering = renderingOf(request, reading.clock);
  const selection = selectionOf(request, query);
  const sendInitial = initialEvents(query);
  const version = query.get("resourceVersion") ?? "";
  const since = version === "" || version === "0" || sendInitial ? undefined : String(parseVersion(version));
  const bookmarks = booleanParameter(query, "allowWatchBookmarks");
  const timeoutSeconds = integerParameter(query, "timeoutSeconds");
  const initial = since === undefined ? selected(reading.store, request.resource, selection).items : [];
  const watchRequest = {
    resource: request.resource,
    selection,
    rendering,
    since: reachable(reading, since),
    markInitialEnd: sendInitial && bookmarks,
    bookmarks,
    timeoutSeconds: timeoutSeconds === 0 ? undefined : timeoutSeconds,
  };
  return hub.open(watchRequest, initial);
}

/** A version that this store has not reached is one of a former life: the client must list anew. */
function reachable(reading: Reading, since: string | undefined): string | undefined {
  return since !== undefined && Number(since) > Number(reading.store.currentVersion()) ? "-1" : since;
}

function initialEvents(query: URLSearchParams): boolean {
  const wanted = booleanParameter(query, "sendInitialEvents");
  const match = query.get("resourceVersionMatch") ?? "";
  if (query.has("sendInitialEvents") && match !== "NotOlderThan") {
    throw new ApiStatusError(
      422,
      "Invalid",
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  }
  if (match !== "" && !query.has("sendInitialEvents")) {
    throw new ApiStatusError(
      422,
      "Invalid",
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    );
  }
  return wanted;
}
