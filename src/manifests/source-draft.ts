import type { GitObjects } from "../ports/git.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { entryAt, filesOfTree } from "./git-tree.ts";
import type { TreeFile } from "./git-tree.ts";
import type { LoadContext, SourceFile } from "./load-file.ts";
import { loadSource } from "./load-source.ts";
import type { LoadedSource } from "./load-source.ts";
import type { DeclaredAt } from "./manifest-layout.ts";
import type { ParseCache } from "./parse-cache.ts";
import type { Problem } from "./problem.ts";
import { isManifestPath } from "./read-source.ts";

/** A file of the tip with its version there. */
interface TipFile {
  readonly text: string;
  readonly version: TreeFile;
}

/** The manifests at a commit, with changes on top that are not committed yet. */
export class SourceDraft {
  /** The commit; undefined for a branch without one. */
  readonly commit: string | undefined;
  /** Its tree. */
  readonly tree: string;
  readonly #objects: GitObjects;
  readonly #loaded: LoadedSource;
  readonly #declared: Map<string, DeclaredAt>;
  readonly #changed = new Map<string, string | null>();

  private constructor(
    objects: GitObjects,
    at: { readonly commit: string | undefined; readonly tree: string },
    loaded: LoadedSource,
  ) {
    this.#objects = objects;
    this.commit = at.commit;
    this.tree = at.tree;
    this.#loaded = loaded;
    this.#declared = new Map(
      loaded.objects.map((object) => [keyText(object.key), { key: object.key, path: object.origin.path }]),
    );
  }

  /** Reads the manifests below `directory` at a commit; those of undefined are none. */
  static async open(
    objects: GitObjects,
    commit: string | undefined,
    directory: string,
    context: LoadContext,
    cache: ParseCache,
  ): Promise<SourceDraft> {
    const tree = (commit === undefined ? undefined : (await objects.readCommit(commit))?.tree) ?? objects.emptyTree;
    const listed = await filesOfTree(objects, tree, directory, cache.trees);
    const files = listed
      .filter((file) => isManifestPath(file.path) && (file.mode === "100644" || file.mode === "100755"))
      .map(({ path, id }) => ({ path, content: id, known: cache.find(path, id, context) }));
    const texts = await objects.readBlobs(
      files.filter(({ known }) => known === undefined).map(({ content }) => content),
    );
    const sources: SourceFile[] = files.map((file) => ({ ...file, text: () => texts.get(file.content) ?? "" }));
    return new SourceDraft(objects, { commit, tree }, loadSource(sources, context, { cache }));
  }

  /** File that declares an object, changes included. */
  pathOf(key: ObjectKey): string | undefined {
    return this.#declared.get(keyText(key))?.path;
  }

  /** What keeps the object's document from being used at the commit. */
  problemOf(key: ObjectKey): Problem | undefined {
    const wanted = keyText(key);
    return this.#loaded.problems.find(
      (problem) => problem.severity === "Error" && problem.key !== undefined && keyText(problem.key) === wanted,
    );
  }

  get declared(): readonly DeclaredAt[] {
    return [...this.#declared.values()];
  }

  /** Text of a file, changes included; undefined when there is none. */
  async textOf(path: string): Promise<string | undefined> {
    const changed = this.#changed.get(path);
    if (changed !== undefined) return changed ?? undefined;
    return (await this.tipFile(path))?.text;
  }

  /** The file as the commit has it. */
  async tipFile(path: string): Promise<TipFile | undefined> {
    const version = await entryAt(this.#objects, this.tree, path);
    if (version === undefined || version.mode === "040000") return undefined;
    return { text: (await this.#objects.readBlob(version.id)) ?? "", version };
  }

  /** Puts a file's new text (null: none) on top, and where the object is declared now. */
  change(path: string, text: string | null, key: ObjectKey, isDeclared: boolean): void {
    this.#changed.set(path, text);
    if (isDeclared) this.#declared.set(keyText(key), { key, path });
    else this.#declared.delete(keyText(key));
  }

  /** All changes so far by path. */
  get changes(): ReadonlyMap<string, string | null> {
    return this.#changed;
  }
}
