import { createEngine, type Engine } from "../engine/engine.ts";
import { TownError } from "../errors/town-error.ts";
import { COMMAND_FIELDS } from "../kinds/command-fields.ts";
import { KINDS } from "../kinds/index.ts";
import { REFERENCES } from "../kinds/references.ts";
import { changeTree, entryAt } from "../manifests/git-tree.ts";
import type { Repository } from "../ports/git.ts";
import { silentLog } from "../ports/log.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import { noMetrics } from "../ports/metrics.ts";
import { kindRegistry } from "../resource/kind-registry.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { createStore, type Store } from "../store/store.ts";
import { type DesiredState, openDesiredState } from "../sync/desired-state.ts";
import { furtherSourceController } from "../sync/further-source-controller.ts";
import { sourceController } from "../sync/source-controller.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { MemoryGit } from "./memory-git.ts";
import { Life, mortal } from "./mortal.ts";
import { type SeededRandom, seededRandom } from "./seeded-random.ts";
import { unsynced } from "./unsynced.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export const MAIN = "refs/heads/main";
/** The remote that is the truth of both towns, and the repository of their further Source. */
export const TRUTH = "/truth.git";
export const LIBRARY = "/library.git";
const HQ: ObjectKey = { kind: "Town", name: "hq" };
const PERSON = { name: "Pat", email: "pat@example.org" };

export const pool = (name: string): ObjectKey => ({ kind: "AgentPool", namespace: "api", name });

export function poolText(name: string, replicas: number): string {
  return `apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata: { name: ${name}, namespace: api }\nspec: { role: crew, provider: shell, replicas: ${replicas} }\n`;
}

const BUILTINS: Readonly<Record<string, string>> = {
  "crew.yaml":
    "apiVersion: town.dev/v1alpha1\nkind: Role\nmetadata: { name: crew }\nspec: { lifecycle: Persistent, prompt: Help. }\n",
  "shell.yaml": "apiVersion: town.dev/v1alpha1\nkind: Provider\nmetadata: { name: shell }\nspec: { command: [sh] }\n",
};

const MANIFESTS: Readonly<Record<string, string>> = {
  "hq.yaml":
    "apiVersion: town.dev/v1alpha1\nkind: Town\nmetadata: { name: hq }\nspec: { sync: { interval: 30s, remote: { url: origin, interval: 20s } } }\n",
  "rig.yaml": "apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata: { name: api }\nspec: { path: /project }\n",
  "library.yaml": `apiVersion: town.dev/v1alpha1\nkind: Source\nmetadata: { name: library }\nspec: { url: ${LIBRARY}, interval: 25s }\n`,
};

/** One life of one town's controller: only what follows git and writes to it. */
export interface SyncLife {
  readonly life: Life;
  readonly store: Store;
  readonly desired: DesiredState;
  readonly engine: Engine;
}

/** Two towns on one remote with one further Source, on twins, under one clock and one seed. */
export class SyncWorld {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly git: MemoryGit;
  readonly #disk: MemoryDisk;
  readonly #lives = new Map<string, SyncLife>();
  #starts = 0;

  private constructor(seed: number | string, clock: VirtualClock) {
    this.clock = clock;
    this.random = seededRandom(seed);
    this.#disk = new MemoryDisk({ clock });
    this.git = new MemoryGit({ clock, files: this.#disk.mount() });
  }

  /** `pools`: what the truth declares at first, by name with its replicas. */
  static async make(
    options: { readonly seed: number | string; readonly clock: VirtualClock },
    pools: Readonly<Record<string, number>>,
  ): Promise<SyncWorld> {
    const world = new SyncWorld(options.seed, options.clock);
    const files = world.#disk.mount();
    await files.makeDirectory("/builtin");
    for (const [name, text] of Object.entries(BUILTINS)) await files.writeAtomic(`/builtin/${name}`, text);
    const texts = Object.entries(pools).map(([name, replicas]) => [`${name}.yaml`, poolText(name, replicas)] as const);
    for (const path of [TRUTH, LIBRARY]) await world.git.init(path, { bare: true, branch: "main" });
    await world.commitTo(TRUTH, { ...MANIFESTS, ...Object.fromEntries(texts) });
    for (const root of ["/one", "/two"]) {
      await files.makeDirectory(root);
      const repository = await world.git.init(root, { bare: false, branch: "main" });
      await repository.setConfig("remote.origin.url", TRUTH);
      await repository.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"]);
      const tip = (await repository.resolve("refs/remotes/origin/main")) ?? "";
      await repository.updateRefs([{ ref: MAIN, to: tip, from: null }], "clone");
      await repository.fastForwardWorktree(root, MAIN, tip, tip);
      for (const [path, text] of [...Object.entries(MANIFESTS), ...texts])
        await world.git.writeFile(root, `manifests/${path}`, text);
      await world.stage(root);
    }
    return world;
  }

  /** Puts the index of a checkout in step with its branch, as a clone does; `gone`: paths that leave it. */
  async stage(root: string, gone: readonly string[] = []): Promise<void> {
    const repository = await this.repository(root);
    const lock = await repository.lockCheckout(MAIN);
    if (lock.state !== "Locked") throw new TownError("SimulationBroken", `${root} cannot be locked: ${lock.state}`);
    const listed = await repository.listFiles(MAIN, "");
    const entries = listed.map(({ path, id, mode }) => [path, { id, mode }] as const);
    await lock.checkout.stage(new Map([...gone.map((path) => [path, null] as const), ...entries]));
    await lock.checkout.release();
  }

  async repository(path: string): Promise<Repository> {
    const repository = await this.git.open(path);
    if (repository === undefined) throw new TownError("SimulationBroken", `there is no repository at ${path}`);
    return repository;
  }

  /** Commits manifests (null removes) to a bare repository as somebody with another clone does; `orphan`: a force-push. */
  async commitTo(path: string, changes: Readonly<Record<string, string | null>>, orphan = false): Promise<string> {
    const repository = await this.repository(path);
    const { objects } = repository;
    const tip = orphan ? undefined : await repository.resolve(MAIN);
    const root = tip === undefined ? objects.emptyTree : ((await objects.readCommit(tip))?.tree ?? objects.emptyTree);
    const files = new Map<string, { mode: "100644"; id: string } | null>();
    for (const [name, text] of Object.entries(changes))
      files.set(`manifests/${name}`, text === null ? null : { mode: "100644", id: await objects.writeBlob(text) });
    const commit = await objects.writeCommit({
      tree: await changeTree(objects, root, files),
      parents: tip === undefined ? [] : [tip],
      message: "by hand\n",
      author: PERSON,
      committer: PERSON,
    });
    await repository.updateRefs([{ ref: MAIN, to: commit }], "push");
    return commit;
  }

  /** Text of a manifest at a commit. */
  async textAt(path: string, commit: string, name: string): Promise<string | undefined> {
    const { objects } = await this.repository(path);
    const tree = (await objects.readCommit(commit))?.tree ?? objects.emptyTree;
    const entry = await entryAt(objects, tree, `manifests/${name}`);
    return entry === undefined ? undefined : objects.readBlob(entry.id);
  }

  /** The controller of a town, if one lives. */
  alive(root: string): SyncLife | undefined {
    const known = this.#lives.get(root);
    return known?.life.dead === false ? known : undefined;
  }

  /** Starts a town's controller; one that still lives is killed. `forget`: its journal was lost meanwhile. */
  async start(root: string, forget: boolean): Promise<void> {
    this.kill(root);
    const life = new Life();
    this.#starts += 1;
    const random = this.random.fork(`life ${this.#starts}`);
    const clock = mortal(this.clock, life);
    const files = mortal(this.#disk.mount(), life);
    const git = mortal(this.git, life);
    const repository = await git.open(root);
    if (repository === undefined) throw new TownError("SimulationBroken", `there is no repository at ${root}`);
    const store = await createStore({
      registry: kindRegistry(KINDS),
      clock,
      random,
      log: silentLog,
      ...(forget ? {} : { persistence: { files, directory: `${root}/.git/town/store` } }),
    });
    const desired = openDesiredState({
      root,
      repository,
      git,
      files,
      clock,
      log: silentLog,
      store,
      kinds: KINDS,
      references: REFERENCES,
      commandFields: COMMAND_FIELDS,
      builtinDirectory: "/builtin",
    });
    await desired.begin();
    await desired.commits.recover();
    const ports = {
      clock,
      random,
      objects: store,
      events: store,
      log: silentLog,
      metrics: noMetrics,
      layout: { root },
    };
    const engine = createEngine({
      controllers: unsynced([sourceController(desired.sync), furtherSourceController(desired.further)]),
      ports: ports as unknown as LoopPorts,
    });
    life.onDeath(() => void engine.stop({ drainMs: 0 }));
    this.#lives.set(root, { life, store, desired, engine });
    engine.start();
  }

  /** kill -9: what the controller held is left behind. */
  kill(root: string): void {
    this.#lives.get(root)?.life.end();
    this.git.crash(() => true);
  }

  /** Asks a town to look at once, as `town reconcile` does. */
  async poke(root: string): Promise<void> {
    const time = new Date(this.clock.now()).toISOString();
    const { store } = this.alive(root) ?? {};
    for (const key of [HQ, { kind: "Source", name: "library" }])
      await store?.annotateRuntime(key, { "runtime.town.dev/reconcile-requested-at": time });
  }
}
