import type { KindDefinition } from "../resource/kind-definition.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { TOWN_NAMESPACE } from "../resource/object-meta.ts";

/** Where an object is declared. */
export interface DeclaredAt {
  readonly key: ObjectKey;
  readonly path: string;
}

/**
 * File for a new object: as the source lays out its kind (`rigs/api.yaml` beside `rigs/web.yaml`, `<namespace>/crew.yaml`
 * after `api/crew.yaml`), else `<directory>/<namespace>/<plural>/<name>.yaml`, without namespace for cluster-scoped
 * kinds. A layout counts when a file is named after the one object in it; the most common one wins. Pure.
 */
export function pathForNew(
  key: ObjectKey,
  definition: KindDefinition,
  directory: string,
  declared: readonly DeclaredAt[],
): string {
  const perFile = new Map<string, number>();
  for (const { path } of declared) perFile.set(path, (perFile.get(path) ?? 0) + 1);
  const votes = new Map<string, number>();
  for (const { key: other, path } of declared) {
    const pattern = other.kind === key.kind && perFile.get(path) === 1 ? patternOf(other, path) : undefined;
    if (pattern !== undefined) votes.set(pattern, (votes.get(pattern) ?? 0) + 1);
  }
  const [best] = [...votes].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return best === undefined ? byConvention(key, definition, directory) : filled(best[0], key);
}

function byConvention({ namespace, name }: ObjectKey, { plural }: KindDefinition, directory: string): string {
  return [directory, namespace, plural, `${name}.yaml`].filter((part) => part !== undefined && part !== "").join("/");
}

const NAME = "\0name";
const NAMESPACE = "\0namespace";

/** A path with the object's name and namespace marked; undefined when the file is not called after the object. */
function patternOf({ namespace, name }: ObjectKey, path: string): string | undefined {
  const parts = path.split("/");
  const file = parts.pop() ?? "";
  const end = /\.ya?ml$/i.exec(file)?.[0] ?? "";
  if (file !== `${name}${end}`) return undefined;
  const folders = parts.map((part) => (part === namespace ? NAMESPACE : part));
  // A namespaced object in a folder that does not name the namespace would put objects of all namespaces together.
  if (namespace !== undefined && namespace !== TOWN_NAMESPACE && !folders.includes(NAMESPACE)) return undefined;
  return [...folders, `${NAME}${end}`].join("/");
}

function filled(pattern: string, { namespace, name }: ObjectKey): string {
  return pattern.replaceAll(NAMESPACE, namespace ?? "").replace(NAME, name);
}
