import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";

/** Something that could not be taken in: kept for a person, with its place. */
export interface SetAsideItem {
  /** `file:line`, or `path@commit`. */
  readonly place: string;
  readonly problem: string;
  readonly text: string;
}

/**
 * Keeps what could not be read, each place once, in one file per kind: nothing damaged is swallowed, and a start after the
 * next does not report it again. Returns the items that are new.
 */
export async function setAside(
  files: Files,
  directory: string,
  kind: string,
  items: readonly SetAsideItem[],
  tell: Log["error"],
): Promise<readonly SetAsideItem[]> {
  if (items.length === 0) return [];
  const path = `${directory}/${kind}.jsonl`;
  const known = new Set((await files.readText(path))?.split("\n") ?? []);
  const lines = new Map(items.map((item) => [JSON.stringify(item), item]));
  const fresh = [...lines].filter(([line]) => !known.has(line));
  if (fresh.length === 0) return [];
  await files.makeDirectory(directory);
  const file = await files.openAppend(path, { mode: 0o600 });
  await file.append(fresh.map(([line]) => `${line}\n`).join(""));
  await file.close();
  for (const [, { place, problem }] of fresh) tell({ place, problem, kept: path }, "unreadable record set aside");
  return fresh.map(([, item]) => item);
}
