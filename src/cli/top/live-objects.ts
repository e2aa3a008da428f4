import type { EventObject } from "../output/describe.ts";
import type { ApiObject } from "../resources/objects.ts";
import type { TopKind, TopObjects } from "./top-data.ts";

interface Named {
  readonly metadata: { readonly namespace?: string | undefined; readonly name?: string | undefined };
}

/** The newest state of what is watched. What was seen last stays while the daemon does not answer. */
export class LiveObjects implements TopObjects {
  readonly #kinds = new Map<string, Map<string, unknown>>();

  of(kind: TopKind): readonly ApiObject[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])] as ApiObject[];
  }

  get events(): readonly EventObject[] {
    return [...(this.#kinds.get("Event")?.values() ?? [])] as EventObject[];
  }

  /** All there are of a kind now. */
  replace(kind: string, items: readonly Named[]): void {
    this.#kinds.set(kind, new Map(items.map((item) => [placeOf(item), withKind(kind, item)])));
  }

  change(kind: string, type: "ADDED" | "MODIFIED" | "DELETED", object: Named): void {
    const known = this.#kinds.get(kind) ?? new Map<string, unknown>();
    this.#kinds.set(kind, known);
    if (type === "DELETED") known.delete(placeOf(object));
    else known.set(placeOf(object), withKind(kind, object));
  }
}

/** Items of a list do not say their kind. */
function withKind(kind: string, object: Named): unknown {
  return "kind" in object ? object : { kind, ...object };
}

function placeOf({ metadata }: Named): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}
