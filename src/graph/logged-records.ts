import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { Files } from "../ports/files.ts";
import { Wal } from "./wal.ts";

/** Every version of a record that logs still hold, wisps and renewals of leases apart. `directory`: that of the logs. */
export async function loggedRecords(
  files: Files,
  directory: string,
  logs: readonly string[],
): Promise<readonly BeadRecord[]> {
  const records: BeadRecord[] = [];
  for (const id of logs) {
    const { entries } = await Wal.open(files, directory, id);
    for (const { record } of entries)
      for (const { d, l } of record.o) if (d !== null && d.ephemeral !== true && l !== 1) records.push(d);
  }
  return records;
}
