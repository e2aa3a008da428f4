import { isRecord } from "../resource/equality.ts";
import { TOWN_NAMESPACE } from "../resource/object-meta.ts";
import type { LoadedObject } from "./load-file.ts";
import type { Problem } from "./problem.ts";

/** Objects of a kind belong into `hq`, or into the namespace of a rig, as the `spec.scope` of what they name says. */
export interface PlacementRule {
  readonly from: string;
  /** Field of the spec that names an object without namespace. */
  readonly field: string;
  readonly to: string;
}

/** Objects in a namespace that what they name does not go with; `known`: those that exist without a file. Pure. */
export function checkPlacements(
  objects: readonly LoadedObject[],
  rules: readonly PlacementRule[],
  known: readonly LoadedObject[],
): readonly Problem[] {
  return rules.flatMap((rule) => {
    // What a file declares stands before what ships.
    const named = new Map(
      [...known, ...objects].filter(({ key }) => key.kind === rule.to).map(({ key, spec }) => [key.name, spec]),
    );
    return objects.flatMap((object): readonly Problem[] => {
      if (object.key.kind !== rule.from || !isRecord(object.spec)) return [];
      const name = object.spec[rule.field];
      const spec = typeof name === "string" ? named.get(name) : undefined;
      const scope = isRecord(spec) ? spec["scope"] : undefined;
      const isTowns = (object.key.namespace ?? TOWN_NAMESPACE) === TOWN_NAMESPACE;
      if ((scope !== "Town" && scope !== "Rig") || (scope === "Town") === isTowns) return [];
      return [
        {
          path: object.origin.path,
          ...object.placeOf(["spec", rule.field]),
          severity: "Error",
          reason: `${rule.to}OutOfScope`,
          key: object.key,
          message:
            scope === "Rig"
              ? `\`spec.${rule.field}\` names ${rule.to} '${String(name)}', which is for rigs, and the object is in ${TOWN_NAMESPACE}`
              : `\`spec.${rule.field}\` names ${rule.to} '${String(name)}', which is for the town, and the object is in ${object.key.namespace ?? ""}`,
          hint: `Write \`namespace: ${scope === "Rig" ? "RIG" : TOWN_NAMESPACE}\` into its metadata.`,
        },
      ];
    });
  });
}
