import { isRecord } from "../resource/equality.ts";
import { splitDocuments } from "./document-text.ts";
import { parseYaml } from "./yaml-document.ts";
import { fieldText, mapStrings } from "./field-path.ts";
import type { FieldPath } from "./field-path.ts";
import type { Problem } from "./problem.ts";
import { didYouMean } from "../domain/text/suggestion.ts";

/** Git-ignored file of host facts beside the manifests. */
export const LOCAL_FILE = "town.local.yaml";

export type LocalValue = string | number | boolean;

/** Facts of this machine by name, for `${local:NAME}`. */
export interface LocalValues {
  readonly values: ReadonlyMap<string, LocalValue>;
  readonly problems: readonly Problem[];
}

const NO_LOCAL_VALUES: LocalValues = { values: new Map(), problems: [] };

const NAME = /^[A-Za-z_][-A-Za-z0-9_.]*$/;

/** Reads `town.local.yaml`: one mapping of names to texts, numbers or booleans. A wrong entry leaves the others usable. */
export function readLocalValues(text: string | undefined, path: string = LOCAL_FILE): LocalValues {
  const part = text === undefined ? undefined : splitDocuments(text).find((each) => each.hasContent);
  if (part === undefined) return NO_LOCAL_VALUES;
  const document = parseYaml(part);
  const problems: Problem[] = document.faults.map((fault) => ({ path, severity: "Error", ...fault }));
  const values = new Map<string, LocalValue>();
  if (document.faults.length > 0) return { values, problems };
  const add = (name: string, message: string, hint: string): void => {
    problems.push({
      path,
      ...document.placeOf([name], "Key"),
      severity: "Error",
      reason: "LocalValueInvalid",
      message,
      hint,
    });
  };
  if (!isRecord(document.value))
    add("", "the file must be a mapping of names to values", "Write lines such as `apiPath: /home/me/api`.");
  else {
    for (const [name, value] of Object.entries(document.value)) {
      if (!NAME.test(name))
        add(name, `the name '${name}' must be letters, digits, '-', '_' and '.', starting with a letter`, "Rename it.");
      else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
        values.set(name, value);
      else add(name, `\`${name}\` must be text, a number, or true or false`, "Give each fact its own name.");
    }
  }
  return { values, problems };
}

interface Substitution {
  readonly value: unknown;
  /** Uses of names that are not defined, as `${local:NAME}` stands in the text. */
  readonly missing: readonly { readonly path: FieldPath; readonly message: string; readonly hint: string }[];
}

const REFERENCE = /\$?\$\{local:([^}]*)\}/g;

/**
 * Replaces `${local:NAME}` in every string of a value. A string that is nothing but a reference takes the type of the
 * fact; `$${local:NAME}` stands for the text itself.
 */
export function substituteLocals(
  value: unknown,
  locals: ReadonlyMap<string, LocalValue>,
  path: FieldPath = [],
): Substitution {
  const missing: { path: FieldPath; message: string; hint: string }[] = [];
  const lookUp = (name: string, at: FieldPath): LocalValue | undefined => {
    const found = locals.get(name);
    if (found === undefined) {
      const hint = didYouMean(name, locals.keys()) ?? `Add the line \`${name}: …\` to ${LOCAL_FILE}.`;
      missing.push({
        path: at,
        message: `\`${fieldText(at)}\` uses \${local:${name}}, which ${LOCAL_FILE} does not define`,
        hint,
      });
    }
    return found;
  };
  const replaced = mapStrings(
    value,
    (text, at) => {
      if (!text.includes("${local:")) return text;
      const whole = /^\$\{local:([^}]*)\}$/.exec(text)?.[1];
      if (whole !== undefined) return lookUp(whole, at) ?? text;
      return text.replaceAll(REFERENCE, (reference, name: string) =>
        reference.startsWith("$$") ? reference.slice(1) : String(lookUp(name, at) ?? reference),
      );
    },
    path,
  );
  return { value: replaced, missing };
}
