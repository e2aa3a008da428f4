import { ApiStatusError } from "../errors/town-error.ts";
import { explain } from "../resource/explain.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import type { KindRegistry } from "../resource/kind-registry.ts";
import type { Verb } from "../resource/verb.ts";
import { badRequest } from "./status.ts";

/** `explain` for every registered kind: args `{resource: "widgets.spec.env", recursive?: true}`. */
export function explainVerb(registry: KindRegistry): Verb {
  return {
    name: "explain",
    summary: "Describes a kind and its fields.",
    needs: "view",
    run: async ({ args }) => {
      const { resource, recursive } = args;
      if (typeof resource !== "string" || resource === "")
        throw badRequest("explain needs args.resource, as 'widgets' or 'widgets.spec.env'");
      const [name, ...path] = resource.split(".");
      const definition = registry.kinds.find((kind) => namesOf(kind).includes((name ?? "").toLowerCase()));
      if (definition === undefined)
        throw new ApiStatusError(404, "NotFound", `the server doesn't have a resource type "${name ?? ""}"`, {
          hint: `There are: ${registry.kinds.map(({ plural }) => plural).join(", ")}.`,
        });
      return { text: explain(definition, path.join("."), recursive === true) };
    },
  };
}

function namesOf({ plural, singular, shortNames, kind }: KindDefinition): readonly string[] {
  return [plural, singular, ...shortNames, kind.toLowerCase()];
}
