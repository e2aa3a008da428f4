import type { ObjectStore } from "../ports/object-store.ts";
import { BUILTIN_SOURCE, TOWN_SOURCE } from "../resource/desired-origin.ts";
import { keyOf, type TownObject } from "../resource/object-meta.ts";
import type { TableRenderer } from "../resource/table.ts";

/** Adds, for `-o wide`, where the manifest of an object is: its path, and which source has it if not the town's own. */
export function withSourceColumn(table: TableRenderer, store: ObjectStore): TableRenderer {
  return {
    columnDefinitions: [
      ...table.columnDefinitions,
      {
        name: "Source",
        type: "string",
        format: "",
        description: "Where its manifest is: a path in the town, `builtin`, or the Source and the path there.",
        priority: 1,
      },
    ],
    cells: (object, nowMs) => [...table.cells(object, nowMs), sourceOf(object as TownObject, store)],
  };
}

function sourceOf(object: TownObject, store: ObjectStore): string {
  const origin = store.originOf(keyOf(object));
  if (origin === undefined) return "<none>";
  if (origin.source === BUILTIN_SOURCE) return BUILTIN_SOURCE;
  return origin.source === TOWN_SOURCE ? origin.path : `${origin.source}:${origin.path}`;
}
