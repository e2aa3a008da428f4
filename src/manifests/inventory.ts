import { TerminalError } from "../errors/town-error.ts";
import type { GitIdentity, Repository } from "../ports/git.ts";
import { isRecord, jsonEqual } from "../resource/equality.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey, OwnerReference } from "../resource/object-meta.ts";
import { changeTree, filesOfTree } from "./git-tree.ts";
import type { TreeFile } from "./git-tree.ts";
import type { StatedDocument } from "./load-file.ts";
import { REFLOG } from "./reflog.ts";

/** Version of the layout and of the documents below `refs/town/applied/`. */
const INVENTORY_VERSION = 1;

/** What must be known of an applied object when the journal is lost. */
export interface InventoryEntry {
  readonly key: ObjectKey;
  readonly uid: string;
  readonly generation: number;
  /** RFC 3339. */
  readonly creationTimestamp?: string;
  /** RFC 3339; set while finalizers hold an object whose document is gone. */
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  /** File that last declared it. */
  readonly path: string;
  /** Last good document: what stays in force while the file is broken. */
  readonly document: StatedDocument;
}

/** What was applied from one source. */
export interface Inventory {
  readonly source: string;
  /** Commit of the inventory itself; undefined before the first write. */
  readonly commit: string | undefined;
  /** Revision of the source that was applied last. */
  readonly revision: string | undefined;
  /** By `keyText`. */
  readonly entries: ReadonlyMap<string, InventoryEntry>;
}

export function inventoryRef(source: string): string {
  return `refs/town/applied/${source}`;
}

export function emptyInventory(source: string): Inventory {
  return { source, commit: undefined, revision: undefined, entries: new Map() };
}

const FORMAT_FILE = "format.json";
/** Stands for the namespace of cluster-scoped kinds; no namespace can be called that. */
const NO_NAMESPACE = "_";

/**
 * The inventory of a source; empty when nothing was applied yet. Throws TerminalError `InventoryTooNew` for one that a
 * later version wrote and `InventoryDamaged` for one that cannot be read: neither may be taken for an empty one, since
 * uids and finalizers would be lost.
 */
export async function readInventory(repository: Repository, source: string): Promise<Inventory> {
  const commit = await repository.resolve(inventoryRef(source));
  if (commit === undefined) return emptyInventory(source);
  const info = await repository.objects.readCommit(commit);
  if (info === undefined) throw damaged(source, "its commit is missing");
  const files = await filesOfTree(repository.objects, info.tree, "");
  const texts = await repository.objects.readBlobs(files.map((file) => file.id));
  const format = parsed(texts.get(files.find((file) => file.path === FORMAT_FILE)?.id ?? ""));
  const revision = requireVersion(source, format);
  const entries = new Map<string, InventoryEntry>();
  for (const file of files) {
    if (file.path === FORMAT_FILE) continue;
    const entry = entryFrom(parsed(texts.get(file.id)));
    if (entry === undefined || pathOf(entry.key) !== file.path)
      throw damaged(source, `${file.path} is not a record of an object`);
    entries.set(keyText(entry.key), entry);
  }
  return { source, commit, revision, entries };
}

/**
 * Writes what changed between two states of an inventory and moves its ref by compare-and-swap from `former.commit`.
 * Gives `next` with its commit, or "Moved" when another process wrote in between (read again, plan again). When
 * nothing changed, nothing is written. Former states are not kept: git collects them.
 *
 * Guarantees: durable when it resolves; a crash leaves the former inventory or the next one.
 */
export async function writeInventory(
  repository: Repository,
  former: Inventory,
  next: Pick<Inventory, "revision" | "entries">,
  author: GitIdentity,
): Promise<Inventory | "Moved"> {
  const { objects } = repository;
  const changes = new Map<string, TreeFile | null>();
  const put = async (path: string, value: unknown): Promise<void> => {
    changes.set(path, { mode: "100644", id: await objects.writeBlob(`${JSON.stringify(value, undefined, 2)}\n`) });
  };
  for (const [key, entry] of former.entries) if (!next.entries.has(key)) changes.set(pathOf(entry.key), null);
  for (const [key, entry] of next.entries) {
    if (!jsonEqual(former.entries.get(key), entry))
      await put(pathOf(entry.key), { formatVersion: INVENTORY_VERSION, ...entry });
  }
  if (changes.size === 0 && former.commit !== undefined && former.revision === next.revision) return former;
  const { source } = former;
  await put(FORMAT_FILE, { formatVersion: INVENTORY_VERSION, source, revision: next.revision ?? null });
  const formerTree = former.commit === undefined ? undefined : (await objects.readCommit(former.commit))?.tree;
  const tree = await changeTree(objects, formerTree ?? objects.emptyTree, changes);
  const message = `applied ${source}${next.revision === undefined ? "" : ` at ${next.revision}`}\n`;
  const commit = await objects.writeCommit({ tree, parents: [], message, author, committer: author });
  const moved = await repository.updateRefs(
    [{ ref: inventoryRef(source), to: commit, from: former.commit ?? null }],
    REFLOG,
  );
  return moved ? { source, commit, revision: next.revision, entries: next.entries } : "Moved";
}

/** A source is no more: its inventory goes. */
export async function forgetInventory(repository: Repository, source: string): Promise<void> {
  await repository.updateRefs([{ ref: inventoryRef(source), to: null }], REFLOG);
}

function pathOf(key: ObjectKey): string {
  return `${key.kind}/${key.namespace ?? NO_NAMESPACE}/${key.name}.json`;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requireVersion(source: string, format: unknown): string | undefined {
  if (!isRecord(format) || typeof format["formatVersion"] !== "number")
    throw damaged(source, `${FORMAT_FILE} is missing or broken`);
  if (format["formatVersion"] > INVENTORY_VERSION) {
    throw new TerminalError(
      "InventoryTooNew",
      `Cannot read ${inventoryRef(source)}: it has format version ${format["formatVersion"]}, this program knows ${INVENTORY_VERSION}.`,
      { hint: "Use the newer version of town that wrote it; nothing was changed." },
    );
  }
  return typeof format["revision"] === "string" ? format["revision"] : undefined;
}

function entryFrom(value: unknown): InventoryEntry | undefined {
  if (!isRecord(value) || !isRecord(value["key"]) || !isRecord(value["document"])) return undefined;
  const { formatVersion: _, ...entry } = value;
  const { kind, name } = value["key"];
  const whole = [kind, name, value["uid"], value["path"]].every((text) => typeof text === "string");
  return whole && typeof value["generation"] === "number" ? (entry as unknown as InventoryEntry) : undefined;
}

function damaged(source: string, why: string): TerminalError {
  return new TerminalError("InventoryDamaged", `Cannot read ${inventoryRef(source)}: ${why}.`, {
    hint: `Look at it with \`git ls-tree -r ${inventoryRef(source)}\`. Without it objects are applied anew: move it aside with \`git update-ref refs/town/damaged/${source} ${inventoryRef(source)}\` and \`git update-ref -d ${inventoryRef(source)}\`.`,
  });
}
