import type { KindDefinition } from "../resource/kind-definition.ts";
import { keyOf, type TownObject } from "../resource/object-meta.ts";
import { isHeldAnnotation } from "../resource/held-annotation.ts";
import { newDocument } from "./plan-write.ts";
import { renderDocument } from "./yaml-render.ts";

/**
 * Objects as manifests: what a person would have to write to declare them, without defaults and without anything of the
 * server. Several are separated by `---`. What is secret or local is in them as it is in the objects.
 */
export function exportManifests(
  objects: readonly TownObject[],
  definitionOf: (kind: string) => KindDefinition | undefined,
): string {
  return objects
    .flatMap((object) => {
      const definition = definitionOf(object.kind);
      return definition === undefined ? [] : [renderDocument(newDocument(keyOf(object), ownPart(object), definition))];
    })
    .join("---\n");
}

function ownPart(object: TownObject): TownObject {
  const annotations = Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !isHeldAnnotation(name));
  return { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(annotations) } };
}
