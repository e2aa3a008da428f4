import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { Files } from "../ports/files.ts";
import type { CommitHead } from "./commit-head.ts";

/** What one commit changed: state of each record afterwards, undefined where it is gone. */
export type ChangedRecords = ReadonlyMap<string, BeadRecord | undefined>;

interface ChangeLine {
  /** Commit that it builds on. */
  readonly from: string;
  readonly head: CommitHead;
  readonly put: readonly BeadRecord[];
  readonly gone: readonly string[];
}

/**
 * Adds what a commit changed to the cache of an earlier one. Not synced: a line that is lost or torn is made good by git,
 * since only lines that follow each other without a gap count.
 */
export async function appendChanges(
  files: Files,
  path: string,
  from: string,
  head: CommitHead,
  records: ChangedRecords,
): Promise<void> {
  const line: ChangeLine = {
    from,
    head,
    put: [...records.values()].filter((record) => record !== undefined),
    gone: [...records].filter(([, record]) => record === undefined).map(([id]) => id),
  };
  const file = await files.openAppend(path, { mode: 0o600 });
  try {
    // Led by the newline, so that a line torn by a crash spoils no other.
    await file.append(`\n${JSON.stringify(line)}`, { durable: false });
  } finally {
    await file.close();
  }
}

/**
 * The changes from `head` on, up to the commit `wanted` where they lead there; else as far as they go. `last`: how far they go
 * in any case.
 */
export async function readChanges(
  files: Files,
  path: string,
  head: CommitHead,
  wanted: string,
): Promise<{ readonly head: CommitHead; readonly records: ChangedRecords; readonly last: CommitHead }> {
  const records = new Map<string, BeadRecord | undefined>();
  let reached = head;
  let last = head;
  const text = await files.readText(path);
  for (const line of text?.split("\n") ?? []) {
    const change = line === "" ? undefined : parseChange(line);
    if (change?.from !== last.commit) continue;
    last = change.head;
    if (reached.commit === wanted) continue;
    for (const record of change.put) records.set(record.id, record);
    for (const id of change.gone) records.set(id, undefined);
    reached = last;
  }
  return { head: reached, records, last };
}

function parseChange(line: string): ChangeLine | undefined {
  try {
    const value = JSON.parse(line) as Partial<ChangeLine> | null;
    const isWhole =
      typeof value?.from === "string" && typeof value.head?.commit === "string" && Array.isArray(value.put);
    return isWhole ? (value as ChangeLine) : undefined;
  } catch {
    return undefined;
  }
}
