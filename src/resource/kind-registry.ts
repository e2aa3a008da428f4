import { TerminalError } from "../errors/town-error.ts";
import type { KindDefinition } from "./kind-definition.ts";

/** All kinds of one API. Shared code asks here and never names a kind. */
export interface KindRegistry {
  /** In the order of registration. */
  readonly kinds: readonly KindDefinition[];
  get(kind: string): KindDefinition | undefined;
  byPlural(group: string, version: string, plural: string): KindDefinition | undefined;
  /** `group/version` pairs in the order of first registration. */
  readonly groupVersions: readonly { readonly group: string; readonly version: string }[];
}

/**
 * Collects definitions. Kind names are unique across groups; plurals, singulars and short names are unique within the
 * whole API, since kubectl would pick one of two at will. Throws TerminalError `KindRegisteredTwice` otherwise.
 */
export function kindRegistry(kinds: readonly KindDefinition[]): KindRegistry {
  const byKind = new Map<string, KindDefinition>();
  const byPath = new Map<string, KindDefinition>();
  const names = new Map<string, string>();
  const groupVersions = new Map<string, { readonly group: string; readonly version: string }>();
  for (const definition of kinds) {
    if (byKind.has(definition.kind)) throw registeredTwice(definition.kind, definition.kind);
    byKind.set(definition.kind, definition);
    byPath.set(pathOf(definition.group, definition.version, definition.plural), definition);
    groupVersions.set(`${definition.group}/${definition.version}`, {
      group: definition.group,
      version: definition.version,
    });
    for (const name of new Set([definition.plural, definition.singular, ...definition.shortNames])) {
      if (names.has(name)) throw registeredTwice(name, `${definition.kind} and ${String(names.get(name))}`);
      names.set(name, definition.kind);
    }
  }
  return {
    kinds: [...kinds],
    get: (kind) => byKind.get(kind),
    byPlural: (group, version, plural) => byPath.get(pathOf(group, version, plural)),
    groupVersions: [...groupVersions.values()],
  };
}

export function apiVersionOf(definition: { readonly group: string; readonly version: string }): string {
  return definition.group === "" ? definition.version : `${definition.group}/${definition.version}`;
}

function pathOf(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}

function registeredTwice(name: string, by: string): TerminalError {
  return new TerminalError(
    "KindRegisteredTwice",
    `Cannot register kinds: the name '${name}' is used by ${by} more than once.`,
  );
}
