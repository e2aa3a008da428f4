import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { DesiredInput, ObjectStore } from "../ports/object-store.ts";
import { BUILTIN_SOURCE } from "../resource/desired-origin.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { keyText, type ObjectKey } from "../resource/object-meta.ts";
import { ParseCache } from "../manifests/parse-cache.ts";
import { readSourceOnDisk } from "../manifests/read-source.ts";

export interface BuiltinOptions {
  /** Directory whose manifests come with the program. */
  readonly directory: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly kinds: readonly KindDefinition[];
  readonly store: ObjectStore;
}

/** Objects that exist with nothing but defaults where no manifest declares them. */
const DEFAULTS: readonly ObjectKey[] = [{ kind: "Town", name: "hq" }];

/**
 * The tier below all sources: objects that come with the program. One of them is in force as long as no source declares
 * an object of that name, and again when that document goes.
 */
export class Builtins {
  readonly #options: BuiltinOptions;
  readonly #cache = new ParseCache();
  readonly #inputs = new Map<string, { readonly key: ObjectKey; readonly input: DesiredInput }>();

  constructor(options: BuiltinOptions) {
    this.#options = options;
  }

  get keys(): readonly ObjectKey[] {
    return [...this.#inputs.values()].map(({ key }) => key);
  }

  /** What an object is when no source declares it; undefined: it goes. */
  fallback(key: ObjectKey): DesiredInput | undefined {
    return this.#inputs.get(keyText(key))?.input;
  }

  /** Reads them (cheap when nothing changed) and declares those that no source has. */
  async declare(): Promise<void> {
    const { files, clock, kinds, directory, log, store } = this.#options;
    const read = await readSourceOnDisk(files, clock, directory, {
      kinds,
      locals: new Map(),
      directory: "",
      cache: this.#cache,
    });
    for (const problem of read.problems) log.error({ ...problem }, "a manifest of the program itself is invalid");
    this.#inputs.clear();
    for (const key of DEFAULTS) this.#addDefault(key);
    for (const { key, labels, annotations, spec, origin } of read.objects)
      this.#add(key, { labels, annotations, spec, origin: { source: BUILTIN_SOURCE, ...origin, revision: "builtin" } });
    for (const { key, input } of this.#inputs.values()) {
      const origin = store.originOf(key);
      if (origin === undefined || origin.source === BUILTIN_SOURCE) await store.declare(key, input);
    }
  }

  #addDefault(key: ObjectKey): void {
    const spec = this.#options.kinds.find((kind) => kind.kind === key.kind)?.spec.safeParse({});
    if (spec?.success === true)
      this.#add(key, {
        spec: spec.data as Readonly<Record<string, unknown>>,
        origin: { source: BUILTIN_SOURCE, path: "", line: 0, revision: "builtin" },
      });
  }

  #add(key: ObjectKey, input: DesiredInput): void {
    this.#inputs.set(keyText(key), { key, input });
  }
}
