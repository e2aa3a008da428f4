import { TownError } from "../../../errors/town-error.ts";

/** Ids that Town accepts for new records: Beads' grammar and the id forms of Gas Town (`gt-rig-role-name`, `x.gate-y`). */
export function validId(id: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(id) && !id.includes("..") && !id.endsWith(".");
}

/**
 * Prefix of an id: the longest known one that fits; else Beads' guess (up to the last hyphen where the rest looks like a
 * hash or a number, else up to the first). Undefined for an id without hyphen.
 */
export function prefixOf(id: string, known: readonly string[] = []): string | undefined {
  let best: string | undefined;
  for (const prefix of known) {
    if (id.startsWith(`${prefix}-`) && prefix.length > (best?.length ?? -1)) best = prefix;
  }
  if (best !== undefined) return best;
  const [root = ""] = id.split(".");
  const last = root.lastIndexOf("-");
  if (last <= 0) return undefined;
  return looksLikeHash(root.slice(last + 1)) ? root.slice(0, last) : root.slice(0, root.indexOf("-"));
}

function looksLikeHash(text: string): boolean {
  if (/^\d+$/.test(text)) return true;
  if (!/^[0-9a-z]{3,8}$/.test(text)) return false;
  return text.length === 3 || /\d/.test(text);
}

/**
 * The id a person meant, for reads only: exact, then with the prefix put in front, then a unique part of the text after
 * the prefix. Undefined when nothing fits; throws TownError `AmbiguousId` naming the candidates.
 */
export function resolveId(
  text: string,
  prefix: string,
  ids: { has(id: string): boolean; all(): Iterable<string> },
): string | undefined {
  if (ids.has(text)) return text;
  if (ids.has(`${prefix}-${text}`)) return `${prefix}-${text}`;
  const wanted = text.startsWith(`${prefix}-`) ? text.slice(prefix.length + 1) : text;
  if (wanted === "") return undefined;
  const found: string[] = [];
  for (const id of ids.all()) {
    const hash = id.startsWith(`${prefix}-`) ? id.slice(prefix.length + 1) : id;
    if (!hash.includes(wanted)) continue;
    // `a3f` means the bead a3f8 rather than its children a3f8.1 and a3f8.2.
    if (hash.includes(".") && !wanted.includes(".")) continue;
    found.push(id);
    if (found.length > 5) break;
  }
  if (found.length <= 1) return found[0];
  throw new TownError(
    "AmbiguousId",
    `Cannot tell which bead '${text}' is: ${found.slice(0, 5).join(", ")}${found.length > 5 ? ", …" : ""} fit.`,
    {
      hint: "Write more of the id.",
    },
  );
}
