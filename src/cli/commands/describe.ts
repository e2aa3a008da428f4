import { bodyOf } from "../connection/api-status.ts";
import type { Api } from "../connection/api.ts";
import { isSet, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { describeText, inEventOrder, type EventObject } from "../output/describe.ts";
import { discoverTypes, withQuery } from "../resources/discovery.ts";
import { scopeOf } from "../resources/flags.ts";
import { getObject, listObjects, type ApiObject } from "../resources/objects.ts";
import { selectionsOf } from "../resources/selection.ts";

export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const api = context.api();
  const scope = scopeOf(input);
  const objects: ApiObject[] = [];
  for (const { type, names } of selectionsOf(input.args, await discoverTypes(api, input.args), {
    command: "describe",
  })) {
    if (names === undefined) {
      const list = await listObjects(api, type, scope, { labels: textFlag(input, "selector") });
      objects.push(...list.items);
    } else for (const name of names) objects.push(await getObject(api, type, scope, name));
  }
  if (objects.length === 0) context.streams.err("No resources found\n");
  const withEvents = !isSet(input, "noEvents");
  const texts: string[] = [];
  for (const object of objects)
    texts.push(describeText(object, withEvents ? await eventsOf(api, object) : undefined, context.now()));
  context.streams.out(texts.join("\n\n"));
  return EXIT.done;
}

/** The text for one object that is named by kind. Throws 404 when there is none. */
export async function describedObject(
  context: CommandContext,
  of: { readonly kind: string; readonly namespace?: string; readonly name: string },
): Promise<string> {
  const api = context.api();
  const type = (await discoverTypes(api)).find((candidate) => candidate.kind === of.kind);
  if (type === undefined) throw usageError(`the server doesn't have a resource type "${of.kind}"`);
  const object = await getObject(api, type, { namespace: of.namespace }, of.name);
  return describeText(object, await eventsOf(api, object), context.now());
}

/** Events of one object, oldest first. Those of cluster-scoped objects are kept in the namespace `default`. */
async function eventsOf(api: Api, object: ApiObject): Promise<readonly EventObject[]> {
  const { name, namespace, uid } = object.metadata;
  const about: Record<string, string | undefined> = { name, namespace, kind: object.kind, uid };
  const fieldSelector = Object.entries(about)
    .flatMap(([key, value]) => (value === undefined ? [] : [`involvedObject.${key}=${value}`]))
    .join(",");
  const path = withQuery(`/api/v1/namespaces/${encodeURIComponent(namespace ?? "default")}/events`, { fieldSelector });
  const { items } = bodyOf<{ readonly items: readonly EventObject[] }>(await api.send({ method: "GET", path }));
  return inEventOrder(items);
}
