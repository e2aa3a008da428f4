import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { idOfPath, recordPath } from "../domain/work-graph/ids/record-path.ts";
import type { Repository } from "../ports/git.ts";
import type { StandIn } from "./cached-texts.ts";
import { parseRecordFile } from "./git-records.ts";

/** Whoever asks for more than so many gets all others, too: each question costs a process. */
const oneByOne = 8;

/**
 * Records as a commit has them, for readers of the cache that find a text damaged and cannot wait for git. Every row of the
 * cache that counts is as any later commit has it.
 */
export function standInFrom(repository: Repository, commit: string): StandIn {
  const known = new Map<string, BeadRecord>();
  let asked = 0;
  return (id) => {
    const record = known.get(id);
    if (record !== undefined) return record;
    const texts = repository.filesAtOnce(commit, ++asked === oneByOne ? undefined : [recordPath(id)]);
    for (const [path, text] of texts) {
      const read = idOfPath(path) === undefined ? undefined : parseRecordFile(path, text);
      if (typeof read === "object") known.set(read.id, read);
    }
    return known.get(id);
  };
}
