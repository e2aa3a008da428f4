/** Values of variables; undefined: declared, and not known yet. */
export type Values = ReadonlyMap<string, string | undefined>;

/**
 * `{{name}}` replaced by its value. What has none is left as it is, as Gas Town does; Go's `{{.a}}` and Handlebars'
 * `{{#if}}` are other languages and are left as well.
 */
export function fillText(text: string, values: Values): string {
  if (!text.includes("{{")) return text;
  return text.replace(/\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}/g, (whole, name: string) => values.get(name) ?? whole);
}

/** `{name}` and `{{name}}` replaced where the name has a value: in loop bodies, templates and advice. */
export function fillBraces(text: string, values: ReadonlyMap<string, string>): string {
  if (!text.includes("{")) return text;
  return text.replace(
    /\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}|\{([A-Za-z_][\w.-]*)\}/g,
    (whole, double: string | undefined, single: string | undefined) => values.get(double ?? single ?? "") ?? whole,
  );
}

/** Every text in a JSON value replaced, keys of mappings left. */
export function mapTexts<T>(value: T, change: (text: string) => string): T {
  if (typeof value === "string") return change(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => mapTexts(item, change)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts<unknown>(item, change)])) as T;
}

/** The names in `{{name}}` of a text. */
export function placeholdersIn(text: string): readonly string[] {
  return [...text.matchAll(/\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}/g)].map((match) => match[1] ?? "");
}
