import { createHash } from "node:crypto";
import { appendFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync, constants } from "node:zlib";
import { codeOf } from "../error-code.ts";
import { makeDirectory, syncDirectory, unlessMissing, writeDurably } from "./disk.ts";
import { keepText } from "./gc-lock.ts";
import type { ObjectReader } from "./object-reader.ts";
import { encodePack, type NewObject } from "./pack-stream.ts";

export interface ObjectWriterOptions {
  readonly commonDirectory: string;
  readonly hash: "sha1" | "sha256";
  readonly reader: ObjectReader;
}

/** More objects than this go to disk as one pack: three fsyncs instead of one each and one per directory. */
const packFrom = 24;
/** At most so many objects, or bytes, are in one such pack: making it holds up everything else meanwhile. */
const packObjects = 4_000;
const packBytes = 16 * 1024 * 1024;

/**
 * New objects of this process. They wait in memory until `flush`, which puts them on disk durably: content is fsynced
 * before it gets its name, so a power loss leaves no torn object under a name that later writers would trust.
 *
 * What was written is listed in `town/own-objects.v1` of the common directory (not durable: an unlisted object is only
 * never packed), so that `OwnPacks` can pack what Town wrote and nothing else.
 */
export class ObjectWriter {
  readonly #options: ObjectWriterOptions;
  #waiting = new Map<string, NewObject>();
  #names = new Map<string, string>();
  #flushing: ReadonlyMap<string, NewObject> = new Map();
  #flush: Promise<void> = Promise.resolve();
  #temporaries = 0;

  constructor(options: ObjectWriterOptions) {
    this.#options = options;
  }

  put(type: NewObject["type"], body: Uint8Array): string {
    const id = createHash(this.#options.hash).update(`${type} ${body.length}\0`).update(body).digest("hex");
    if (!this.#flushing.has(id)) this.#waiting.set(id, { id, type, body });
    return id;
  }

  /** Where an object that is not on disk yet belongs: versions of one file make small deltas of each other when packed. */
  name(id: string, path: string): void {
    if (this.#waiting.has(id) && !path.includes("\n")) this.#names.set(id, path);
  }

  /** An object that is not on disk yet. */
  peek(id: string): NewObject | undefined {
    return this.#waiting.get(id) ?? this.#flushing.get(id);
  }

  /**
   * Resolves when everything put before is durable. On failure it all waits for the next flush. `again`: as a pack, also
   * what the repository seems to have; git looks there first, and falls back on it where another copy is damaged.
   */
  flush({ again = false }: { readonly again?: boolean } = {}): Promise<void> {
    const next = this.#flush.then(() => this.#flushNow(again ? 0 : packFrom));
    this.#flush = next.catch(() => {});
    return next;
  }

  async #flushNow(most: number): Promise<void> {
    if (this.#waiting.size === 0) return;
    this.#flushing = this.#waiting;
    this.#waiting = new Map();
    try {
      const objects = [...this.#flushing.values()];
      // Of many that are written together few exist: looking for each costs more than those few twice, until packed.
      if (objects.length > most) for (const part of packParts(objects)) await this.#writePack(part);
      else await this.#writeLoose(await this.#absent(objects));
      // Of those that were there already, too.
      for (const { id } of objects) this.#names.delete(id);
    } catch (error) {
      this.#waiting = new Map([...this.#flushing, ...this.#waiting]);
      throw error;
    } finally {
      this.#flushing = new Map();
    }
  }

  /** Those that the repository does not have. Loose ones it has are made young again, as git does, lest gc takes them. */
  async #absent(objects: readonly NewObject[]): Promise<NewObject[]> {
    const found = await Promise.all(objects.map(({ id }) => this.#options.reader.info(id)));
    const now = new Date();
    await Promise.all(
      objects
        .filter((_, i) => found[i] !== undefined)
        .map(({ id }) => unlessMissing(utimes(this.#loosePath(id), now, now))),
    );
    return objects.filter((_, i) => found[i] === undefined);
  }

  async #writeLoose(objects: readonly NewObject[]): Promise<void> {
    const directories = new Set(objects.map(({ id }) => join(this.#objectsDirectory, id.slice(0, 2))));
    await Promise.all(objects.map((object) => this.#writeOne(object)));
    await Promise.all([...directories, this.#objectsDirectory].map(syncDirectory));
    await this.#note(
      objects.map(({ id }) => id),
      objects,
    );
  }

  async #writeOne({ id, type, body }: NewObject): Promise<void> {
    const path = this.#loosePath(id);
    const bytes = deflateSync(Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]), {
      level: constants.Z_BEST_SPEED,
    });
    // git's own name for unfinished objects, which its prune removes when a crash leaves one.
    const temporary = join(path, "..", `tmp_obj_town_${process.pid}_${this.#temporaries++}`);
    try {
      await writeDurably(temporary, path, bytes, 0o444);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      await makeDirectory(join(path, ".."));
      await writeDurably(temporary, path, bytes, 0o444);
    }
  }

  // The index comes last: without it git does not look at the pack. Until then a `git gc` must not look at it either: it
  // would take the pack for one whose objects it has (builtin/repack.c lists packs by their `.pack`) and remove it.
  async #writePack(objects: readonly NewObject[]): Promise<void> {
    const { name, pack, index } = encodePack(objects, this.#options.hash);
    const directory = join(this.#objectsDirectory, "pack");
    await makeDirectory(directory);
    // git's own name for unfinished packs, which its prune removes when a crash leaves one.
    const temporary = join(directory, `tmp_pack_town_${process.pid}_${this.#temporaries++}`);
    const keep = join(directory, `${name}.keep`);
    await writeFile(keep, keepText());
    await writeDurably(temporary, join(directory, `${name}.pack`), pack, 0o444);
    await writeDurably(temporary, join(directory, `${name}.idx`), index, 0o444);
    await syncDirectory(directory);
    await rm(keep, { force: true });
    await this.#note([`${name} ${objects.length}`], objects);
  }

  async #note(lines: readonly string[], objects: readonly NewObject[]): Promise<void> {
    if (lines.length === 0) return;
    const names = objects.flatMap(({ id }) => {
      const path = this.#names.get(id);
      return path === undefined ? [] : [`name ${id} ${path}`];
    });
    const directory = join(this.#options.commonDirectory, "town");
    await makeDirectory(directory);
    await appendFile(join(directory, "own-objects.v1"), `${[...lines, ...names].join("\n")}\n`);
  }

  get #objectsDirectory(): string {
    return join(this.#options.commonDirectory, "objects");
  }

  #loosePath(id: string): string {
    return join(this.#objectsDirectory, id.slice(0, 2), id.slice(2));
  }
}

function* packParts(objects: readonly NewObject[]): Iterable<readonly NewObject[]> {
  let part: NewObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    part.push(object);
    bytes += object.body.length;
    if (part.length < packObjects && bytes < packBytes) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}
