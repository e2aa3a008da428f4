import type { SharedSetting, SharedSettings } from "../domain/work-graph/merge/merge-settings.ts";
import type { Repository } from "../ports/git.ts";
import { recordsMissing } from "./git-records.ts";
import type { TreeWriter } from "./tree-writer.ts";

/** Settings and memories on the work branch, one JSON line each, in order of their keys. */
export const settingsFile = "settings.jsonl";

/** Undefined: there is nothing to write. */
export function settingsText(settings: SharedSettings): string | undefined {
  if (settings.size === 0) return undefined;
  const keys = [...settings.keys()].sort();
  return keys.map((key) => `${JSON.stringify({ key, ...settings.get(key) })}\n`).join("");
}

/** `bad`: lines that are no settings, 1-based. */
export function parseSettings(text: string): {
  readonly settings: SharedSettings;
  readonly bad: readonly { readonly line: number; readonly text: string }[];
} {
  const settings = new Map<string, SharedSetting>();
  const bad: { readonly line: number; readonly text: string }[] = [];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const setting = parsed(line);
    if (setting === undefined) bad.push({ line: i + 1, text: line });
    else settings.set(...setting);
  });
  return { settings, bad };
}

/** The settings file of a tree; `""`: it has none. Throws AdapterError `RecordsMissing`. */
export async function settingsAt(
  { objects }: Pick<Repository, "objects">,
  trees: TreeWriter,
  tree: string,
): Promise<string> {
  const blob = await trees.find(tree, settingsFile);
  if (blob === undefined) return "";
  const text = await objects.readBlob(blob);
  if (text === undefined) throw recordsMissing(`tree ${tree}`, [{ path: settingsFile, blob }]);
  return text;
}

function parsed(line: string): readonly [string, SharedSetting] | undefined {
  try {
    const { key, value, updated_at: at } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (typeof key !== "string" || key === "" || typeof value !== "string") return undefined;
    return [key, typeof at === "string" ? { value, updated_at: at } : { value }];
  } catch {
    return undefined;
  }
}
