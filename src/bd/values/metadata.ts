import { usageError } from "../grammar/usage-error.ts";

/** An object from JSON text. Throws TownError `Usage`. */
export function metadataOfText(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageError(
      `invalid metadata: ${error instanceof Error ? error.message : "no JSON"}`,
      `write --metadata '{"key":"value"}'`,
    );
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw usageError("invalid metadata: it must be a JSON object", `write --metadata '{"key":"value"}'`);
  return value as Readonly<Record<string, unknown>>;
}

/** `key=value` pairs; a value that is JSON (number, true, object …) is taken as such, anything else as text. */
export function metadataPairs(pairs: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals <= 0) throw usageError(`invalid metadata "${pair}"`, "write --set-metadata key=value");
      return [pair.slice(0, equals), jsonOrText(pair.slice(equals + 1))];
    }),
  );
}

function jsonOrText(text: string): unknown {
  // `1.0` and `007` are texts to whoever wrote them.
  if (/^-?\d/.test(text)) return String(Number(text)) === text ? Number(text) : text;
  if (!/^(?:true$|false$|null$|[[{"])/.test(text)) return text;
  try {
    // `null` would mean removal; --unset-metadata says that in words.
    return (JSON.parse(text) as unknown) ?? text;
  } catch {
    return text;
  }
}
