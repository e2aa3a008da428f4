import type { Api } from "../connection/api.ts";
import { bodyOf } from "../connection/api-status.ts";
import { textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { usageError } from "../exit-codes.ts";
import { outputFormat } from "../output/object-format.ts";
import { plainText } from "../output/terminal-text.ts";
import { discoverTypes, pathOf, typeText, withQuery, type ResourceType } from "./discovery.ts";
import { scopeOf } from "./flags.ts";
import { getObject, listObjects, withoutManagedFields, type ApiObject } from "./objects.ts";
import { selectionsOf } from "./selection.ts";

/** An object that a command is about to change, as it is now. */
export interface Found {
  readonly type: ResourceType;
  readonly object: ApiObject;
}

export type PatchType = "merge" | "json";

const CONTENT_TYPE: Readonly<Record<PatchType, string>> = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
};

/** True for `--dry-run`, `--dry-run=server` and `--dry-run=client`: the server always checks. */
export function dryRunOf(input: CommandInput): boolean {
  const { dryRun } = input.flags;
  return dryRun === true || dryRun === "server" || dryRun === "client";
}

/**
 * The objects a command line names: `TYPE NAME…`, `TYPE/NAME…`, or a type with -l or --all. `--all` needs -n or -A, so
 * that nobody changes every rig by leaving out a flag.
 */
export async function findObjects(
  api: Api,
  input: CommandInput,
  command: string,
  args: readonly string[] = input.args,
): Promise<readonly Found[]> {
  const scope = scopeOf(input);
  const labels = textFlag(input, "selector");
  const fields = textFlag(input, "fieldSelector");
  const all = input.flags["all"] === true;
  const several = all || labels !== undefined || fields !== undefined;
  const found: Found[] = [];
  for (const { type, names } of selectionsOf(args, await discoverTypes(api, args), {
    command,
    namesRequired: !several,
  })) {
    if (names !== undefined && several) throw usageError("names cannot be combined with -l, --field-selector or --all");
    if (names !== undefined) {
      for (const name of names) found.push({ type, object: await getObject(api, type, scope, name) });
      continue;
    }
    if (all && type.namespaced && scope.namespace === undefined && input.flags["allNamespaces"] !== true)
      throw usageError("--all needs a namespace", "say -n NS, or -A for every namespace");
    const list = await listObjects(api, type, scope, { labels, fields });
    found.push(...list.items.map((object) => ({ type, object })));
  }
  return found;
}

interface PatchRequest {
  readonly patch: unknown;
  readonly type?: PatchType;
  readonly subresource?: string;
  readonly fieldManager: string;
  readonly dryRun: boolean;
}

/** PATCHes one object and returns it as the server has it now. */
export async function patchObject(api: Api, { type, object }: Found, request: PatchRequest): Promise<ApiObject> {
  const { name, namespace } = object.metadata;
  const path = pathOf(type, {
    namespace,
    name,
    ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
  });
  const answer = await api.send({
    method: "PATCH",
    path: withQuery(path, { fieldManager: request.fieldManager, dryRun: request.dryRun ? "All" : undefined }),
    body: JSON.stringify(request.patch),
    contentType: CONTENT_TYPE[request.type ?? "merge"],
  });
  return bodyOf<ApiObject>(answer);
}

/** Prints what happened to an object as kubectl words it, or the object itself with -o. */
export function reportWrite(context: CommandContext, input: CommandInput, { type, object }: Found, done: string): void {
  const output = textFlag(input, "output");
  if (output === undefined) {
    context.streams.out(
      `${typeText(type)}/${object.metadata.name} ${done}${dryRunOf(input) ? " (server dry run)" : ""}\n`,
    );
    return;
  }
  const format = outputFormat(output);
  if (format.as === "Table")
    throw usageError(`-o ${output} is not possible here`, "allowed: name, json, yaml, jsonpath=TEMPLATE");
  context.streams.out(plainText(format.print(withoutManagedFields(object))));
}
