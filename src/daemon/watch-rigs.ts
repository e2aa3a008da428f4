import type { RigSpec } from "../kinds/rig/rig.schema.ts";
import type { Files } from "../ports/files.ts";
import type { Git } from "../ports/git.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { rigSource } from "../work/rig-target.ts";

interface Watched {
  readonly source: string;
  /** Undefined while the repository is looked for. */
  readonly watch: { close(): Promise<void> } | undefined;
}

/**
 * Watches the branches of repositories on this machine, so that a rig follows its user's commits at once and nobody has
 * to ask at intervals. Edge only: what is missed is found at the rig's next look. A repository that is not there is
 * looked for whenever its rig changes.
 */
export function watchRigs(at: {
  readonly files: Files;
  readonly git: Git;
  readonly store: ObjectStore;
  readonly root: string;
  readonly poke: (rig: string) => void;
}): { close(): Promise<void> } {
  const watched = new Map<string, Watched>();
  const drop = (name: string): void => {
    void watched.get(name)?.watch?.close();
    watched.delete(name);
  };
  const begin = async (name: string, source: string): Promise<void> => {
    const repository = await at.git.open(source).catch(() => undefined);
    if (watched.get(name)?.source !== source) return;
    if (repository === undefined) return drop(name);
    const { commonDirectory } = repository;
    const places = [`${commonDirectory}/refs/heads`, `${commonDirectory}/packed-refs`];
    watched.set(name, { source, watch: at.files.watch(places, () => at.poke(name)) });
  };
  const follow = (name: string, rig: TownObject | undefined): void => {
    const spec = rig?.spec as RigSpec | undefined;
    const source = spec?.path === undefined ? undefined : rigSource(spec, at.root);
    if (watched.get(name)?.source === source) return;
    drop(name);
    if (source === undefined) return;
    watched.set(name, { source, watch: undefined });
    void begin(name, source);
  };
  for (const rig of at.store.list("Rig")) follow(rig.metadata.name, rig);
  const unsubscribe = at.store.subscribe(({ type, object }) => {
    if (object.kind === "Rig") follow(object.metadata.name, type === "DELETED" ? undefined : object);
  });
  return {
    async close() {
      unsubscribe();
      const watches = [...watched.values()].map(async ({ watch }) => watch?.close());
      watched.clear();
      await Promise.all(watches);
    },
  };
}
