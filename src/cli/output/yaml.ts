/** JSON value as YAML in block style, keys sorted as kubectl prints them. Every output is read back as the same value by a YAML 1.1 or 1.2 parser. */
export function yamlText(value: unknown): string {
  return `${blockOf(value, 0).replace(/^\n/, "")}\n`;
}

function blockOf(value: unknown, depth: number): string {
  const indent = "  ".repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return " []";
    return value.map((item) => `\n${indent}-${inSequence(item, depth)}`).join("");
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, field]) => field !== undefined);
    if (entries.length === 0) return " {}";
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([key, field]) => `\n${indent}${scalarText(key, -1)}:${fieldOf(field, depth)}`).join("");
  }
  return ` ${scalarText(value, depth)}`;
}

/** kubectl writes the dashes of a list at the column of its key. */
function fieldOf(value: unknown, depth: number): string {
  return Array.isArray(value) ? blockOf(value, depth) : blockOf(value, depth + 1);
}

/** The first line of a map or list stands behind the dash. */
function inSequence(item: unknown, depth: number): string {
  const block = blockOf(item, depth + 1);
  return block.startsWith("\n") ? ` ${block.slice(1 + 2 * (depth + 1))}` : block;
}

function scalarText(value: unknown, depth: number): string {
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  if (depth >= 0 && isBlockScalar(value)) return literal(value, depth);
  return isPlain(value)
    ? value
    : JSON.stringify(value)
        .replaceAll("\u007f", "\\x7f")
        .replace(/[\u0080-\u009f\u2028\u2029\ufeff]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const RESERVED = /^(?:~|null|true|false|yes|no|on|off|y|n)$/i;
/** Some YAML 1.1 parsers take an exponent alone for a number. */
const EXPONENT = /^e[-+]?\d+$/i;
const DURATION = /^(?:\d+(?:ms|[smhd]))+$/;
const WORDS = /^(?:\d+ (?=[A-Za-z]))?[A-Za-z_/][A-Za-z0-9_./@%+-]*(?:[ :][A-Za-z0-9_./@%+()-]+)*$/;

/** Safe without quotes in every YAML version: no number, date, boolean or indicator can be read into it. */
function isPlain(text: string): boolean {
  return !RESERVED.test(text) && !EXPONENT.test(text) && (DURATION.test(text) || WORDS.test(text));
}

// What cannot stand in a block scalar: control characters, line separators that YAML 1.1 folds, lone surrogates.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/;

/** A first line with leading space would need an indentation indicator, so such text is quoted. */
function isBlockScalar(text: string): boolean {
  return text.includes("\n") && !/^\s/.test(text) && !UNPRINTABLE.test(text) && !/[ \t]\n|[ \t]$/.test(text);
}

function literal(text: string, depth: number): string {
  const body = text.replace(/\n+$/, "");
  const trailing = text.length - body.length;
  const chomping = trailing === 0 ? "-" : trailing === 1 ? "" : "+";
  const indent = "  ".repeat(Math.max(depth, 1));
  const lines = body.split("\n").map((line) => (line === "" ? "" : indent + line));
  return `|${chomping}\n${lines.join("\n")}${"\n".repeat(Math.max(trailing - 1, 0))}`;
}
