import { ApiStatusError } from "../../errors/town-error.ts";
import type { Api } from "../connection/api.ts";
import { bodyOf } from "../connection/api-status.ts";
import type { CommandContext } from "../context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { pathOf, typeText, withQuery } from "./discovery.ts";
import type { ApiObject, ObjectList } from "./objects.ts";
import { watchLines } from "./watch-stream.ts";
import type { Found } from "./writes.ts";

interface Expectation {
  readonly api: Api;
  readonly target: Found;
  /** Absolute time of giving up, ms since the epoch; undefined waits for ever. */
  readonly deadlineMs: number | undefined;
  /** For the message of a timeout, as `the condition on`. */
  readonly what: string;
  /** Judges the object; undefined when it does not exist. */
  readonly met: (object: ApiObject | undefined) => boolean;
}

/** Pause before a watch that ended is opened again. */
const RETRY_MS = 200;

/**
 * Waits until the object is as expected: looks, then follows its changes. Throws CliError (exit 124) at the deadline.
 * A watch that ends or expires is opened again after a fresh look, so no change is missed.
 */
export async function until(expectation: Expectation, context: CommandContext): Promise<void> {
  const { target, deadlineMs } = expectation;
  const left = deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - context.now());
  const stop = new AbortController();
  let late = false;
  const timer =
    left === undefined
      ? undefined
      : setTimeout(() => {
          late = true;
          stop.abort();
        }, left);
  try {
    const signal = AbortSignal.any([context.signal, stop.signal]);
    while (!(await seen(expectation, signal))) {
      if (late || (deadlineMs !== undefined && context.now() >= deadlineMs)) throw timedOut(expectation);
      await context.sleep(RETRY_MS);
    }
  } catch (error) {
    if (late) throw timedOut(expectation);
    throw error;
  } finally {
    clearTimeout(timer);
  }

  function timedOut({ what }: Expectation): CliError {
    return new CliError(
      EXIT.timedOut,
      "WaitTimedOut",
      `timed out waiting for ${what} ${typeText(target.type)}/${target.object.metadata.name}`,
      `\`town describe ${target.type.singular || target.type.plural} ${target.object.metadata.name}\` shows what it waits for`,
    );
  }
}

/** One look and one watch; false when the watch ended before the expectation was met. */
async function seen({ api, target, met }: Expectation, signal: AbortSignal): Promise<boolean> {
  const { type, object } = target;
  const { name, namespace } = object.metadata;
  const fieldSelector = `metadata.name=${name}`;
  const path = pathOf(type, { namespace });
  const list = bodyOf<ObjectList>(await api.send({ method: "GET", path: withQuery(path, { fieldSelector }), signal }));
  if (met(list.items[0])) return true;
  const watch = withQuery(path, {
    fieldSelector,
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: list.metadata?.resourceVersion,
  });
  try {
    for await (const event of watchLines<ApiObject>(api, watch, { signal })) {
      if (event.type === "BOOKMARK") continue;
      if (met(event.type === "DELETED" ? undefined : event.object)) return true;
    }
  } catch (error) {
    if (!(error instanceof ApiStatusError) || error.code !== 410) throw error;
  }
  return false;
}
