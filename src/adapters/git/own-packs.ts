import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, readTextFile, syncDirectory, unlessMissing, writeDurably } from "./disk.ts";
import { AdapterError } from "../../errors/town-error.ts";
import { isLeftBehind, takeGcLock } from "./gc-lock.ts";
import type { GitCommand } from "./git-command.ts";
import { idsOfIndex } from "./pack-stream.ts";

/** git looks through every pack for an object, and a user's gc starts by itself at 50 of them. */
const manyPacks = 20;

/** When packing is due, a pack is joined that is not so many times as large as everything smaller. */
const joinAt = 16;

/** Fewer objects than this are no reason to pack by itself. */
const few = 10;

/** So many objects without a known path make asking git for all paths worth it. */
const manyUnnamed = 1_000;

/** Of so many objects the paths are remembered: some megabytes, and days of work. */
const keptNames = 50_000;

/** What Town wrote into a repository and nobody has removed since. */
export interface OwnObjects {
  readonly loose: ReadonlySet<string>;
  /** Number of objects by pack name (`pack-<hash>`). */
  readonly packs: ReadonlyMap<string, number>;
  /** Paths of the latest objects, by id, so that versions of one file are put together also when packs are joined. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * Packs what `ObjectWriter` wrote into one pack, and never touches anything else: a repository that is a user's has the
 * user's gc settings. A large own pack is left alone until the small ones together are a sixteenth of its size, so that the
 * cost per object stays logarithmic; then versions of one file that lie in both become deltas of each other.
 *
 * Guarantees: an object is removed from one place only after it is fsynced in another; killed at any point, the next
 * run goes on. While git collects garbage nothing is packed, and the other way around: each would remove a copy because the
 * other has one.
 */
export class OwnPacks {
  readonly #command: GitCommand;
  readonly #commonDirectory: string;
  readonly #hash: "sha1" | "sha256";

  constructor(command: GitCommand, commonDirectory: string, hash: "sha1" | "sha256") {
    this.#command = command;
    this.#commonDirectory = commonDirectory;
    this.#hash = hash;
  }

  /**
   * Packs when `minimum` objects, or very many packs, wait outside the large packs; returns how many were packed: none while
   * somebody collects garbage. `tip`: a commit that leads to most of them, which tells the paths of older ones.
   */
  async pack(minimum: number, tip?: string): Promise<number> {
    const listed = await this.#present(await this.#takeList());
    if (!isDue(listed, minimum)) return 0;
    const lock = await takeGcLock(this.#commonDirectory);
    if (lock === undefined) return 0;
    try {
      return await this.#packPresent(await this.#present(listed), minimum, tip);
    } finally {
      await lock.release();
    }
  }

  async #packPresent(own: OwnObjects, minimum: number, tip: string | undefined): Promise<number> {
    const victims = packsToJoin(own, joinAt);
    const nothingToJoin = own.loose.size === 0 && victims.size < 2;
    if (!isDue(own, minimum) || nothingToJoin) return 0;
    const ids = new Set(own.loose);
    for (const name of victims) for (const id of await this.#idsOf(name)) ids.add(id);
    const unnamed = [...ids].filter((id) => !own.names.has(id)).length;
    const older = tip === undefined || unnamed < manyUnnamed ? undefined : await this.#namesBelow(tip);
    const pathOf = (id: string): string | undefined => own.names.get(id) ?? older?.get(id);
    const name = await this.#packObjects([...ids].map((id) => named(id, pathOf(id))));
    const kept = [...own.packs].filter(([one]) => !victims.has(one));
    await this.#keep({ loose: new Set(), packs: new Map([...kept, [name, ids.size]]), names: own.names });
    for (const id of own.loose) await rm(this.#loosePath(id), { force: true });
    for (const victim of victims) if (victim !== name) await this.#removePack(victim);
    return ids.size;
  }

  async #packObjects(objects: readonly string[]): Promise<string> {
    const args = ["pack-objects", "--quiet", "--delta-base-offset", join(this.#packDirectory, "pack")];
    const hash = await this.#command.text(args, {
      place: { gitDirectory: this.#commonDirectory },
      doing: `pack ${objects.length} objects in ${this.#commonDirectory}`,
      input: `${objects.join("\n")}\n`,
      timeoutMs: 1_800_000,
    });
    await syncDirectory(this.#packDirectory);
    return `pack-${hash}`;
  }

  /** Paths of all that a commit leads to, by id. */
  async #namesBelow(commit: string): Promise<ReadonlyMap<string, string>> {
    const text = await this.#command.text(["rev-list", "--objects", "--ignore-missing", commit], {
      place: { gitDirectory: this.#commonDirectory },
      doing: `list what ${commit} leads to in ${this.#commonDirectory}`,
      timeoutMs: 1_800_000,
    });
    return new Map([...text.matchAll(/^([0-9a-f]{40,64}) (.+)$/gm)].map(([, id = "", path = ""]) => [id, path]));
  }

  async #idsOf(pack: string): Promise<readonly string[]> {
    const path = join(this.#packDirectory, `${pack}.idx`);
    const ids = idsOfIndex(await readFile(path), this.#hash);
    if (ids !== undefined) return ids;
    throw new AdapterError("PackIndexUnknown", `Cannot join packs: ${path} is no pack index of version 2.`, {
      hint: "Run `git fsck` there; what is in the pack stays as it is.",
    });
  }

  /** The index goes first, so that nobody opens a pack that is about to go. */
  async #removePack(name: string): Promise<void> {
    for (const extension of ["idx", "rev", "pack"])
      await rm(join(this.#packDirectory, `${name}.${extension}`), { force: true });
  }

  /** Moves what writers listed since the last run into the packer's own list; a killed run's part is moved first. */
  async #takeList(): Promise<OwnObjects> {
    const [list, taken] = [this.#listPath, `${this.#listPath}.taken`];
    let own = parseList((await readTextFile(this.#packerPath)) ?? "");
    for (const takeNew of [false, true]) {
      if (takeNew) await unlessMissing(rename(list, taken));
      const text = await readTextFile(taken);
      if (text === undefined) continue;
      const added = parseList(text);
      own = {
        loose: new Set([...own.loose, ...added.loose]),
        packs: new Map([...own.packs, ...added.packs]),
        names: new Map([...own.names, ...added.names]),
      };
      await this.#keep(own);
      await rm(taken, { force: true });
    }
    return own;
  }

  /** Without what was packed or pruned by others, and without packs that someone marked to be kept. */
  async #present(own: OwnObjects): Promise<OwnObjects> {
    const files = new Set((await unlessMissing(readdir(this.#packDirectory))) ?? []);
    for (const file of files) {
      if (!file.endsWith(".keep") || !(await isLeftBehind(join(this.#packDirectory, file)))) continue;
      await rm(join(this.#packDirectory, file), { force: true });
      files.delete(file);
    }
    const loose = new Set<string>();
    for (const id of own.loose) if (await exists(this.#loosePath(id))) loose.add(id);
    const packs = [...own.packs].filter(([name]) => files.has(`${name}.idx`) && !files.has(`${name}.keep`));
    return { loose, packs: new Map(packs), names: own.names };
  }

  async #keep(own: OwnObjects): Promise<void> {
    const lines = [
      ...own.loose,
      ...[...own.packs].map(([name, count]) => `${name} ${count}`),
      ...[...own.names].slice(-keptNames).map(([id, path]) => `name ${id} ${path}`),
    ];
    const temporary = `${this.#packerPath}.tmp`;
    await rm(temporary, { force: true });
    await writeDurably(temporary, this.#packerPath, lines.map((line) => `${line}\n`).join(""), 0o644);
  }

  get #listPath(): string {
    return join(this.#commonDirectory, "town", "own-objects.v1");
  }

  get #packerPath(): string {
    return `${this.#listPath}.packer`;
  }

  get #packDirectory(): string {
    return join(this.#commonDirectory, "objects", "pack");
  }

  #loosePath(id: string): string {
    return join(this.#commonDirectory, "objects", id.slice(0, 2), id.slice(2));
  }
}

/** Whether enough waits outside the large packs. Who asks for few objects wants all that can be done. */
function isDue(own: OwnObjects, minimum: number): boolean {
  const waiting = packsToJoin(own, minimum <= few ? joinAt : 2);
  if (waiting.size >= manyPacks) return true;
  return [...waiting].reduce((sum, name) => sum + (own.packs.get(name) ?? 0), own.loose.size) >= minimum;
}

/** All packs but the largest ones, each of which is at least `factor` times as large as everything smaller together. */
export function packsToJoin(own: OwnObjects, factor = 2): ReadonlySet<string> {
  const largestFirst = [...own.packs].sort(([, a], [, b]) => b - a);
  let smaller = largestFirst.reduce((sum, [, count]) => sum + count, own.loose.size);
  while (largestFirst[0] !== undefined) {
    const [, count] = largestFirst[0];
    smaller -= count;
    if (count < factor * smaller) break;
    largestFirst.shift();
  }
  return new Set(largestFirst.map(([name]) => name));
}

/** An object as `pack-objects` reads it: with its path it is compared with other versions of the same file. */
function named(id: string, path: string | undefined): string {
  return path === undefined ? id : `${id} ${path}`;
}

function parseList(text: string): OwnObjects {
  const loose = new Set<string>();
  const packs = new Map<string, number>();
  const names = new Map<string, string>();
  for (const line of text.split("\n")) {
    const pack = /^(pack-[0-9a-f]+) (\d+)$/.exec(line);
    const name = /^name ([0-9a-f]{40,64}) (.*)$/.exec(line);
    if (pack !== null) packs.set(pack[1] ?? "", Number(pack[2]));
    else if (name !== null) names.set(name[1] ?? "", name[2] ?? "");
    else if (/^[0-9a-f]{40,64}$/.test(line)) loose.add(line);
  }
  return { loose, packs, names };
}
