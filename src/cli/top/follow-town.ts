import { setMaxListeners } from "node:events";
import { ApiStatusError } from "../../errors/town-error.ts";
import type { Api } from "../connection/api.ts";
import { bodyOf } from "../connection/api-status.ts";
import { discoverTypes, pathOf, type ResourceType, withQuery } from "../resources/discovery.ts";
import type { ApiObject } from "../resources/objects.ts";
import { watchLines } from "../resources/watch-stream.ts";
import type { LiveObjects } from "./live-objects.ts";
import { TOP_KINDS } from "./top-data.ts";

/** Longest time until a list is there. */
const LIST_MS = 10_000;
const RETRY_MS = 1_000;
/** A daemon that hangs ends no watch: it is asked whether it lives. */
const PULSE_MS = 15_000;
const PULSE_TIMEOUT_MS = 5_000;

interface Followed {
  readonly kind: string;
  readonly path: string;
}

interface ObjectListBody {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly items: readonly ApiObject[];
}

export interface Following {
  readonly api: () => Api;
  readonly objects: LiveObjects;
  readonly signal: AbortSignal;
  sleep(ms: number): Promise<void>;
  /** Objects changed. */
  changed(): void;
  /** Everything was read and is followed (again). */
  found(): void;
  /** The daemon does not answer; it is tried again until it does. */
  lost(error: unknown): void;
}

/** Reads every kind that the view needs once. Kinds that this daemon does not know count as empty. */
export async function readTown(api: Api, objects: LiveObjects, signal: AbortSignal): Promise<void> {
  await Promise.all(
    followed(await discoverTypes(api)).map(async (each) => {
      await listed(api, objects, each, signal);
    }),
  );
}

/**
 * Keeps the objects as the daemon has them, by watches, until aborted. A watch that expired begins anew; a lost daemon is
 * looked for every second, and everything is read again when it is back.
 */
export async function followTown(at: Following): Promise<void> {
  while (!at.signal.aborted) {
    const round = new AbortController();
    const signal = AbortSignal.any([at.signal, round.signal]);
    // One listener for each watch.
    setMaxListeners(0, at.signal, round.signal, signal);
    try {
      const api = at.api();
      const kinds = followed(await discoverTypes(api));
      const versions = await Promise.all(kinds.map((each) => listed(api, at.objects, each, signal)));
      at.found();
      await Promise.all([
        ...kinds.map((each, index) => followKind(at, api, each, { version: versions[index], signal })),
        pulse(at, api, signal),
      ]);
    } catch (error) {
      if (at.signal.aborted) return;
      at.lost(error);
    } finally {
      round.abort();
    }
    await at.sleep(RETRY_MS);
  }
}

function followed(types: readonly ResourceType[]): readonly Followed[] {
  const known = TOP_KINDS.flatMap((kind) => {
    const type = types.find((candidate) => candidate.kind === kind);
    return type === undefined ? [] : [{ kind, path: pathOf(type, {}) }];
  });
  return [...known, { kind: "Event", path: "/api/v1/events" }];
}

async function listed(
  api: Api,
  objects: LiveObjects,
  { kind, path }: Followed,
  signal: AbortSignal,
): Promise<string | undefined> {
  const list = bodyOf<ObjectListBody>(await api.send({ method: "GET", path, timeoutMs: LIST_MS, signal }));
  objects.replace(kind, list.items);
  return list.metadata?.resourceVersion;
}

async function followKind(
  at: Following,
  api: Api,
  each: Followed,
  { version, signal }: { readonly version: string | undefined; readonly signal: AbortSignal },
): Promise<never> {
  for (let resourceVersion = version; ; ) {
    try {
      const path = withQuery(each.path, { watch: "true", resourceVersion });
      for await (const event of watchLines<ApiObject>(api, path, { signal })) {
        if (event.type === "BOOKMARK") continue;
        at.objects.change(each.kind, event.type, event.object);
        at.changed();
      }
      throw new Error("the daemon ended the watch");
    } catch (error) {
      if (!(error instanceof ApiStatusError) || error.code !== 410) throw error;
    }
    resourceVersion = await listed(api, at.objects, each, signal);
    at.changed();
  }
}

async function pulse(at: Following, api: Api, signal: AbortSignal): Promise<never> {
  for (;;) {
    await at.sleep(PULSE_MS);
    await api.send({ method: "GET", path: "/livez", timeoutMs: PULSE_TIMEOUT_MS, signal });
  }
}
