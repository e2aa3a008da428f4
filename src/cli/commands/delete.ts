import { ApiStatusError } from "../../errors/town-error.ts";
import { bodyOf } from "../connection/api-status.ts";
import type { Api } from "../connection/api.ts";
import { isSet, listFlag, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { durationMs } from "../duration.ts";
import { errorText } from "../error-text.ts";
import { EXIT, exitCodeOf, usageError } from "../exit-codes.ts";
import { nameOf } from "../output/object-format.ts";
import { discoverTypes, pathOf, typeText, withQuery } from "../resources/discovery.ts";
import { readManifests } from "../resources/documents.ts";
import { until } from "../resources/until.ts";
import { dryRunOf, findObjects, type Found } from "../resources/writes.ts";
import { callVerb, printResult } from "../verbs/call-verb.ts";
import type { ApplyData } from "./apply.ts";

/** Requests in flight at once: those that wait together share one commit. */
const PARALLEL = 16;
const PROPAGATION: Readonly<Record<string, string>> = {
  background: "Background",
  foreground: "Foreground",
  orphan: "Orphan",
};

export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const api = context.api();
  return listFlag(input, "filename").length > 0
    ? await deleteFiles(api, input, context)
    : await deleteNamed(api, input, context);
}

/** Documents leave their files in one commit, so the server does it as one call; it answers with what finalizers hold. */
async function deleteFiles(api: Api, input: CommandInput, context: CommandContext): Promise<number> {
  if (input.args.length > 0) throw usageError("-f cannot be combined with names");
  const documents = await readManifests(listFlag(input, "filename"), isSet(input, "recursive"), context);
  const namespace = textFlag(input, "namespace");
  const args = {
    documents,
    mode: "Delete",
    dryRun: dryRunOf(input),
    ...(isSet(input, "ignoreNotFound") ? { ignoreNotFound: true } : {}),
    ...(cascadeOf(input) === "background" ? {} : { cascade: cascadeOf(input) }),
    ...(namespace === undefined ? {} : { namespace }),
  };
  const result = await callVerb(api, "apply", args, { signal: context.signal });
  const code = printResult(result, context.streams);
  if (dryRunOf(input) || !isSet(input, "wait")) return code;
  const held = ((result.data as ApplyData | undefined)?.results ?? []).flatMap(({ object }) =>
    object === undefined || object.kind === "Status" ? [] : [object],
  );
  const types = held.length === 0 ? [] : await discoverTypes(api);
  const targets = held.flatMap((object) =>
    types
      .filter((type) => type.kind === object.kind && object.apiVersion === `${type.group}/${type.version}`)
      .map((type) => ({ type, object })),
  );
  await waitGone(api, targets, input, context);
  return code;
}

async function deleteNamed(api: Api, input: CommandInput, context: CommandContext): Promise<number> {
  const found = await findOrIgnore(api, input);
  if (found.length === 0 && !isSet(input, "ignoreNotFound")) context.streams.err("No resources found\n");
  const deleted: Found[] = [];
  let code: number = EXIT.done;
  const deleteOne = async (target: Found): Promise<void> => {
    try {
      if (await requestDeletion(api, target, input)) deleted.push(target);
      report(target, input, context);
    } catch (error) {
      if (error instanceof ApiStatusError && error.code === 404 && isSet(input, "ignoreNotFound")) return;
      context.streams.err(errorText(error));
      code = exitCodeOf(error);
    }
  };
  const queue = [...found];
  await Promise.all(
    Array.from({ length: Math.min(PARALLEL, queue.length) }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await deleteOne(next);
    }),
  );
  if (isSet(input, "wait") && !dryRunOf(input)) await waitGone(api, deleted, input, context);
  return code;
}

async function findOrIgnore(api: Api, input: CommandInput): Promise<readonly Found[]> {
  try {
    return await findObjects(api, input, "delete");
  } catch (error) {
    if (error instanceof ApiStatusError && error.code === 404 && isSet(input, "ignoreNotFound")) return [];
    throw error;
  }
}

/** True when the object is still there afterwards, held by its finalizers. */
async function requestDeletion(api: Api, { type, object }: Found, input: CommandInput): Promise<boolean> {
  const { name, namespace, uid } = object.metadata;
  const body = {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: PROPAGATION[cascadeOf(input)],
    preconditions: { uid },
  };
  const path = withQuery(pathOf(type, { namespace, name }), { dryRun: dryRunOf(input) ? "All" : undefined });
  const answer = bodyOf<{ readonly kind: string }>(
    await api.send({ method: "DELETE", path, body: JSON.stringify(body) }),
  );
  return answer.kind !== "Status";
}

function cascadeOf(input: CommandInput): string {
  return textFlag(input, "cascade") ?? "background";
}

function report({ type, object }: Found, input: CommandInput, context: CommandContext): void {
  const suffix = dryRunOf(input) ? " (server dry run)" : "";
  context.streams.out(
    textFlag(input, "output") === "name"
      ? `${nameOf(object)}\n`
      : `${typeText(type)} "${object.metadata.name}" deleted${suffix}\n`,
  );
}

async function waitGone(
  api: Api,
  targets: readonly Found[],
  input: CommandInput,
  context: CommandContext,
): Promise<void> {
  const timeout = textFlag(input, "timeout");
  const deadlineMs =
    timeout === undefined || timeout === "0" || timeout === "0s"
      ? undefined
      : context.now() + durationMs(timeout, "timeout");
  for (const target of targets)
    await until(
      {
        api,
        target,
        deadlineMs,
        what: "the deletion of",
        met: (object) => object === undefined || object.metadata.uid !== target.object.metadata.uid,
      },
      context,
    );
}
