import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { TextPlace } from "../domain/work-graph/index/bead-table.ts";
import { BeadTable } from "../domain/work-graph/index/bead-table.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import type { LaidRecords } from "../domain/work-graph/index/lay-columns.ts";
import { layColumns } from "../domain/work-graph/index/lay-columns.ts";
import { fitsTable } from "../domain/work-graph/index/table-record.ts";
import type { Files } from "../ports/files.ts";
import { readChanges } from "./cached-changes.ts";
import type { DamageListener, StandIn } from "./cached-texts.ts";
import { CachedTexts } from "./cached-texts.ts";
import type { ColumnsFile } from "./columns-file.ts";
import { decodeColumns, encodeColumns } from "./columns-file.ts";
import type { CachePosition, CommitHead } from "./commit-head.ts";
import { historyNames } from "./history-file.ts";

/** The records of one commit, as they lie in the cache. */
export interface CachedCommit {
  readonly head: CommitHead;
  /** The last commit that anything in the cache is of. */
  readonly last: CommitHead;
  readonly records: readonly BeadRecord[];
  readonly table: BeadTable;
  /** Ids in the table that were changed since, or are gone. */
  readonly without: ReadonlySet<string>;
  /** How many records are not in the table. */
  readonly uncached: number;
  readonly cache: CachePosition;
  readonly texts: CachedTexts;
}

const columnsName = "columns.bin";
/** The file of texts is written anew when more than half of it, and more than this, is of no use any more, bytes. */
const spareBytes = 1_000_000;

/**
 * The records of one commit in files that load fast: what indexes need by column, the records themselves unread. Made from
 * the branch and made again at will: a cache that is missing, damaged or of another format is simply not used. What was
 * changed since is on top, as far as it leads towards the commit `wanted`. `standIn`: for records whose text is damaged.
 */
export async function readCache(
  files: Files,
  directory: string,
  wanted: string,
  standIn: StandIn = () => undefined,
): Promise<CachedCommit | undefined> {
  const found = await readColumns(files, directory, standIn);
  if (found === undefined) return undefined;
  const { head, columns, odd, texts } = found;
  const { commit, tree, positions } = head;
  const changes = await readChanges(files, changesPath(directory, commit), { commit, tree, positions }, wanted);
  const unchanged = odd.filter(({ id }) => !changes.records.has(id));
  const changed = [...changes.records.values()].filter((record) => record !== undefined);
  return {
    head: changes.head,
    last: changes.last,
    cache: { tables: commit, commit: changes.head.commit },
    records: [...unchanged, ...changed],
    table: new BeadTable(columns, texts),
    without: new Set(changes.records.keys()),
    uncached: changes.records.size,
    texts,
  };
}

/** Where what was changed since `commit` is added to the cache of that commit. */
export function changesPath(directory: string, commit: string): string {
  return `${directory}/${commit.slice(0, 12)}-changes.jsonl`;
}

/** Whoever writes the cache anew removes the texts of the former one: then the new one is there. */
const attempts = 3;

async function readColumns(
  files: Files,
  directory: string,
  standIn: StandIn,
): Promise<(ColumnsFile & { readonly texts: CachedTexts }) | undefined> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const file = await files.openRead(`${directory}/${columnsName}`);
    if (file === undefined) return undefined;
    const found = decodeColumns(file.bytes(0, file.size));
    await file.close();
    if (found === undefined) return undefined;
    const texts = new CachedTexts(files, { directory, name: found.head.texts }, standIn);
    if ((await texts.open()) >= found.head.textBytes) return { ...found, texts };
    await texts.close();
  }
  return undefined;
}

/** What a store holds at one instant, to be put away. */
export type Captured = ReturnType<GraphIndex["captured"]>;

export interface CacheWriterOptions {
  readonly files: Files;
  readonly directory: string;
  readonly index: GraphIndex;
  /** Those that the rows of the index lie in. */
  readonly texts: CachedTexts | undefined;
  /** Records as a commit has them, where their texts are damaged. */
  readonly standInAt: (commit: string) => StandIn;
  readonly onDamaged: DamageListener;
}

/** Replaces the cache: columns as a whole, texts by what is new in them. Only the holder of the store's lock may. */
export class CacheWriter {
  readonly #options: CacheWriterOptions;
  #texts: CachedTexts | undefined;

  constructor(options: CacheWriterOptions) {
    this.#options = options;
    this.#texts = options.texts;
    if (options.texts !== undefined) options.texts.onDamaged = options.onDamaged;
  }

  /** `captured`: what the commit holds. The index goes on with what was written. */
  async write(head: CommitHead, captured: Captured): Promise<void> {
    const { files, directory, index } = this.#options;
    await files.makeDirectory(directory, { mode: 0o700 });
    const former = await files.list(directory);
    const fitting = captured.records.filter(fitsTable);
    const odd = captured.records.filter((record) => !fitsTable(record));
    const known = this.#texts;
    const isFresh = known === undefined || known.isDamaged || this.#isWasted(known, captured, fitting);
    const texts = isFresh ? await this.#newTexts(head, former) : known;
    const laid: LaidRecords = {
      table: captured.table,
      rows: captured.rows,
      ...(isFresh && captured.table !== undefined ? { places: await copyTexts(captured, texts) } : {}),
      records: await placed(fitting, texts),
    };
    const layout = layColumns(laid);
    const textBytes = await texts.open();
    const bytes = encodeColumns({ head: { ...head, texts: texts.name, textBytes }, columns: layout.columns, odd });
    await files.writeAtomic(`${directory}/${columnsName}`, bytes, { mode: 0o600 });
    index.moveTo(new BeadTable(layout.columns, texts), laid, layout);
    this.#texts = texts;
    if (known !== texts) await known?.close();
    const kept = new Set([columnsName, ...historyNames, texts.name]);
    for (const file of former) if (!kept.has(file)) await files.remove(`${directory}/${file}`);
  }

  async #newTexts({ commit }: CommitHead, former: readonly string[]): Promise<CachedTexts> {
    const { files, directory, standInAt, onDamaged } = this.#options;
    let name = `${commit.slice(0, 12)}-texts.jsonl`;
    for (let again = 2; former.includes(name); again++) name = `${commit.slice(0, 12)}-texts-${again}.jsonl`;
    const texts = new CachedTexts(files, { directory, name }, standInAt(commit));
    texts.onDamaged = onDamaged;
    return texts;
  }

  #isWasted(texts: CachedTexts, { table, rows }: Captured, records: readonly BeadRecord[]): boolean {
    const lengths = table?.columns.arrays.textLength;
    let used = 0;
    for (const row of rows) used += lengths?.[row] ?? 0;
    for (const record of records) used += texts.placeOf(record)?.length ?? 0;
    return texts.size > used * 2 + spareBytes;
  }

  get isDamaged(): boolean {
    return this.#texts?.isDamaged === true;
  }

  get isLost(): boolean {
    return this.#texts?.isLost === true;
  }

  /** What turned out to be damaged is not used again. */
  async close(): Promise<void> {
    const { files, directory } = this.#options;
    if (this.isDamaged) await files.remove(`${directory}/${columnsName}`).catch(() => undefined);
    await this.#texts?.close();
  }
}

/** Where the rows of a table lie once their texts are copied. */
async function copyTexts({ table, rows }: Captured, to: CachedTexts): Promise<ReadonlyMap<number, TextPlace>> {
  function* texts(): Iterable<string> {
    for (const row of rows) yield table?.text(row) ?? "";
  }
  const places = await to.append(texts());
  return new Map([...rows].map((row, i) => [row, places[i] as TextPlace]));
}

async function placed(
  records: readonly BeadRecord[],
  texts: CachedTexts,
): Promise<readonly (readonly [BeadRecord, TextPlace])[]> {
  const added = records.filter((record) => texts.placeOf(record) === undefined);
  function* lines(): Iterable<string> {
    for (const record of added) yield JSON.stringify(record);
  }
  const places = added.length === 0 ? [] : await texts.append(lines());
  added.forEach((record, i) => texts.remember(record, places[i] as TextPlace));
  return records.map((record) => [record, texts.placeOf(record) as TextPlace]);
}
