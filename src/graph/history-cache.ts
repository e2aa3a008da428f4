import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import { eventLine, eventsIn, readHistory, readLogs } from "./event-log.ts";
import { mayHold } from "./history-blocks.ts";
import { HistoryFile } from "./history-file.ts";
import type { StorePaths } from "./paths.ts";
import type { TreeWriter } from "./tree-writer.ts";

export interface HistoryCacheOptions {
  readonly repository: Repository;
  readonly trees: TreeWriter;
  readonly files: Files;
  readonly directory: string;
}

/**
 * Keeps what the logs of the last commit hold where the history of a bead is found without git. Only the holder of the store's
 * lock may.
 */
export class HistoryCache {
  readonly #options: HistoryCacheOptions;
  readonly #file: HistoryFile;

  constructor(options: HistoryCacheOptions) {
    this.#options = options;
    this.#file = new HistoryFile(options.files, options.directory);
  }

  /** Adds what a commit adds to the logs of its parent. False: what is kept is not of that parent. */
  async extend(parent: string | undefined, commit: string, events: readonly HistoryEntry[]): Promise<boolean> {
    const kept = await this.#file.commit();
    if (kept === commit) return true;
    if (parent === undefined) await this.#begin(commit, events.map(eventLine));
    else return kept === parent && this.#file.add(commit, events.map(eventLine));
    return true;
  }

  /** Makes it that of a commit, from what git has. */
  async follow(commit: string): Promise<void> {
    const kept = await this.#file.commit();
    if (kept === commit) return;
    const added = kept === undefined ? undefined : await this.#addedSince(kept, commit);
    if (added !== undefined && (await this.#file.add(commit, added))) return;
    const texts = await readLogs(this.#options.repository, commit);
    await this.#begin(
      commit,
      texts.flatMap((text) => text.split("\n").filter((line) => line !== "")),
    );
  }

  async #begin(commit: string, lines: readonly string[]): Promise<void> {
    await this.#options.files.makeDirectory(this.#options.directory, { mode: 0o700 });
    await this.#file.begin(commit, lines);
  }

  /** Lines that came to the end of logs; undefined: something else happened to them. */
  async #addedSince(from: string, to: string): Promise<readonly string[] | undefined> {
    const { repository, trees } = this.#options;
    const { objects } = repository;
    const [former, latter] = [await objects.readCommit(from), await objects.readCommit(to)];
    if (former === undefined || latter === undefined) return undefined;
    const lines: string[] = [];
    for (const path of await repository.changedFiles(from, to)) {
      if (!path.startsWith("log/")) continue;
      const [before, after] = await Promise.all(
        [former, latter].map(async ({ tree }) => {
          const blob = await trees.find(tree, path);
          return blob === undefined ? "" : objects.readBlob(blob);
        }),
      );
      if (before === undefined || after?.startsWith(before) !== true) return undefined;
      for (const line of after.slice(before.length).split("\n")) if (line !== "") lines.push(line);
    }
    return lines;
  }
}

/** Events of a bead in the logs of a commit, in no order; from git where the cache does not know. */
export async function historyAt(
  { files, paths, repository }: { readonly files: Files; readonly paths: StorePaths; readonly repository: Repository },
  commit: string | undefined,
  id: string,
): Promise<readonly HistoryEntry[]> {
  if (commit === undefined) return [];
  const texts = await new HistoryFile(files, paths.cache).texts(commit, (block) => mayHold(block, id));
  return texts?.flatMap((text) => eventsIn(text, id)) ?? readHistory(repository, commit, id);
}
