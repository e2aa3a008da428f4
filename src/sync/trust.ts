import type { LoadedObject } from "../manifests/load-file.ts";
import type { LoadedSource } from "../manifests/load-source.ts";
import { byPlace, type Problem } from "../manifests/problem.ts";
import { fieldsAt } from "../manifests/references.ts";
import { fieldText } from "../manifests/field-path.ts";

/** As `kinds/command-fields.ts` states them. */
export interface TrustRules {
  readonly commandFields: readonly { readonly kind: string; readonly path: string; readonly value?: string }[];
}

/** Kinds that decide what else is followed; a Source that nobody trusts could otherwise trust another one. */
const TRUSTED_KINDS: ReadonlySet<string> = new Set(["Source"]);

/**
 * What of a further source may be applied: never the Town, and without trust no other Sources and nothing that states a
 * command. What is refused becomes a problem with its place. Pure.
 */
export function trustedPart(
  loaded: LoadedSource,
  source: { readonly name: string; readonly trusted: boolean },
  rules: TrustRules,
): LoadedSource {
  const objects: LoadedObject[] = [];
  const refused: Problem[] = [];
  for (const object of loaded.objects) {
    const problem = refusalOf(object, source, rules);
    if (problem === undefined) objects.push(object);
    else refused.push(problem);
  }
  return { ...loaded, objects, problems: [...loaded.problems, ...refused].sort(byPlace) };
}

function refusalOf(
  object: LoadedObject,
  source: { readonly name: string; readonly trusted: boolean },
  { commandFields }: TrustRules,
): Problem | undefined {
  const { kind } = object.key;
  const base = { path: object.origin.path, severity: "Error", key: object.key } as const;
  if (kind === "Town")
    return {
      ...base,
      ...object.placeOf(["kind"]),
      reason: "KindNotFromSource",
      message: "the Town must be declared in the town's own manifests",
      hint: "Remove it here.",
    };
  if (source.trusted) return undefined;
  const hint = `Set spec.trusted of Source ${source.name} if everybody who can push there may run commands here.`;
  if (TRUSTED_KINDS.has(kind))
    return {
      ...base,
      ...object.placeOf(["kind"]),
      reason: "SourceNotTrusted",
      message: `a ${kind} is only taken from a trusted source`,
      hint,
    };
  const command = commandFields
    .filter((field) => field.kind === kind)
    .flatMap((field) =>
      fieldsAt(object.spec, field.path).filter(({ value }) => field.value === undefined || field.value === value),
    )[0];
  if (command === undefined) return undefined;
  return {
    ...base,
    ...object.placeOf(command.at),
    reason: "SourceNotTrusted",
    message: `\`${fieldText(command.at)}\` makes a command run, and the source is not trusted`,
    hint,
  };
}
