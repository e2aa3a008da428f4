import { COMMAND_FIELDS } from "../../src/kinds/command-fields.ts";
import { KINDS } from "../../src/kinds/index.ts";
import { REFERENCES } from "../../src/kinds/references.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Files } from "../../src/ports/files.ts";
import type { LoopPorts } from "../../src/ports/loop-ports.ts";
import type { Git, Repository } from "../../src/ports/git.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { Caller } from "../../src/resource/caller.ts";
import { conditionOf, type Condition } from "../../src/resource/condition.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import type { ObjectKey, TownObject } from "../../src/resource/object-meta.ts";
import { openDesiredState, type DesiredState } from "../../src/sync/desired-state.ts";
import { furtherSourceController } from "../../src/sync/further-source-controller.ts";
import { planSource, settingsOf } from "../../src/sync/source-controller.ts";
import type { SyncResult } from "../../src/sync/sync-result.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { createStore, type Store } from "../../src/store/store.ts";

export const HQ: ObjectKey = { kind: "Town", name: "hq" };
export const MAIN = "refs/heads/main";
export const PAT: Caller = { name: "Pat", email: "pat@example.org", role: "admin" };
export const TOAST: Caller = {
  name: "api/polecats/toast",
  email: "pat@example.org",
  role: "agent",
  session: { namespace: "api", agent: "toast", generation: 1 },
};
const IDENTITY = { name: "Pat", email: "pat@example.org", timeMs: 1_900_000_000_000 };

export interface SitePorts {
  readonly git: Git;
  readonly files: Files;
  readonly clock: Clock;
  /** Directory that holds everything. */
  readonly base: string;
}

/** A town as git, its desired state and its objects, without a controller. */
export class SyncTown {
  readonly ports: SitePorts;
  readonly root: string;
  readonly repository: Repository;
  readonly store: Store;
  readonly desired: DesiredState;

  private constructor(ports: SitePorts, root: string, repository: Repository, store: Store) {
    this.ports = ports;
    this.root = root;
    this.repository = repository;
    this.store = store;
    this.desired = openDesiredState({
      ...ports,
      root,
      repository,
      log: silentLog,
      store,
      kinds: KINDS,
      references: REFERENCES,
      commandFields: COMMAND_FIELDS,
      builtinDirectory: `${ports.base}/builtin`,
    });
  }

  static async make(ports: SitePorts, name: string, repository?: Repository): Promise<SyncTown> {
    const { files, clock, git, base } = ports;
    const root = `${base}/${name}`;
    await files.makeDirectory(root);
    await files.makeDirectory(`${base}/builtin`);
    await files.writeAtomic(
      `${base}/builtin/crew.yaml`,
      `${roleText("crew", "You are crew.")}  lifecycle: Persistent\n`,
    );
    await files.writeAtomic(`${base}/builtin/shell.yaml`, SHELL);
    const made = repository ?? (await git.init(root, { bare: false, branch: "main" }));
    const random = seededRandom(`${name} ${clock.monotonicMs()}`);
    const store = await createStore({ registry: kindRegistry(KINDS), clock, random, log: silentLog });
    return new SyncTown(ports, root, made, store);
  }

  /** The same town after its controller died and its journal was lost. */
  reborn(): Promise<SyncTown> {
    return SyncTown.make(this.ports, this.root.slice(this.ports.base.length + 1), this.repository);
  }

  async save(path: string, text: string | null): Promise<void> {
    const full = `${this.root}/${path}`;
    if (text === null) return this.ports.files.remove(full);
    await this.ports.files.makeDirectory(full.slice(0, full.lastIndexOf("/")));
    await this.ports.files.writeAtomic(full, text);
  }

  /** Saves manifests (null removes) and commits everything, as its author does with git. */
  async commit(
    changes: Readonly<Record<string, string | null>>,
    { author = "Pat", message = "by hand\n" }: { readonly author?: string; readonly message?: string } = {},
  ): Promise<string> {
    for (const [path, text] of Object.entries(changes)) await this.save(`manifests/${path}`, text);
    const made = await this.repository.commitAll(this.root, message, { ...IDENTITY, name: author }, IDENTITY);
    if (made === undefined) throw new Error("nothing to commit");
    return made;
  }

  async sync(): Promise<SyncResult> {
    return this.desired.sync.sync(settingsOf(this.town));
  }

  /** Runs the source loop until it has nothing to do; gives the Ready condition then. */
  async settle(): Promise<Condition | undefined> {
    const { sync } = this.desired;
    await sync.builtins.declare();
    for (let round = 0; round < 12; round += 1) {
      const settings = settingsOf(this.town);
      const plan = planSource(this.town as never, {
        now: this.ports.clock.now(),
        settings,
        stale: await sync.isStale(settings),
        last: sync.last,
        fetched: sync.fetched,
      });
      await this.store.patchStatus(HQ, {
        ...plan.status,
        conditions: (plan.conditions ?? []).map((each) => ({ ...each, lastTransitionTime: "2030-01-01T00:00:00Z" })),
      });
      if (plan.actions.length === 0) return conditionOf(this.town, "Ready");
      for (const action of plan.actions)
        await (action.do === "Fetch" ? sync.fetch(action.settings) : sync.sync(action.settings));
    }
    throw new Error(`the source loop does not settle: ${JSON.stringify(this.town.status)}`);
  }

  /** Runs the loop of a Source until it has nothing to do; gives its Ready condition, undefined when it is gone. */
  async settleSource(name: string): Promise<Condition | undefined> {
    const controller = furtherSourceController(this.desired.further);
    const key = { kind: "Source", name };
    const ports = {
      clock: this.ports.clock,
      objects: this.store,
      layout: { root: this.root },
    } as unknown as LoopPorts;
    const finalizer = controller.finalizer ?? "";
    for (let round = 0; round < 12; round += 1) {
      const source = this.store.get(key);
      if (source === undefined) return undefined;
      const plan = controller.plan(source, await controller.observe(source, ports));
      const { generation } = source.metadata;
      const conditions = (plan.conditions ?? []).map((each) => ({ ...each, observedGeneration: generation }));
      await this.store.patchStatus(key, { ...plan.status, conditions });
      if (plan.actions.length > 0 && source.metadata.deletionTimestamp === undefined)
        await this.store.setFinalizer(key, finalizer, true);
      for (const action of plan.actions) await controller.execute(action, source, ports);
      if (plan.finalized === true && source.metadata.deletionTimestamp !== undefined)
        await this.store.setFinalizer(key, finalizer, false);
      else if (plan.actions.length === 0) return conditionOf(this.store.get(key) ?? {}, "Ready");
    }
    throw new Error(`source ${name} does not settle: ${JSON.stringify(this.store.get(key)?.status)}`);
  }

  get town(): TownObject {
    const town = this.store.get(HQ);
    if (town === undefined) throw new Error("there is no Town");
    return town;
  }

  get syncStatus(): Readonly<Record<string, unknown>> {
    return (this.town.status?.["sync"] ?? {}) as Readonly<Record<string, unknown>>;
  }

  annotate(annotations: Readonly<Record<string, string | null>>): Promise<void> {
    return this.store.annotateRuntime(HQ, annotations);
  }

  /** A PATCH of spec fields through the API. */
  async edit(key: ObjectKey, fields: Readonly<Record<string, unknown>>, caller: Caller = PAT): Promise<void> {
    const before = this.store.get(key);
    if (before === undefined) throw new Error(`no ${key.name}`);
    const after = { ...before, spec: { ...before.spec, ...fields } };
    await this.desired.commits.write({ caller, key, before, after, stated: { spec: fields }, dryRun: false });
  }

  async remove(key: ObjectKey, caller: Caller = PAT): Promise<void> {
    const before = this.store.get(key);
    if (before === undefined) throw new Error(`no ${key.name}`);
    await this.desired.commits.write({ caller, key, before, after: undefined, dryRun: false });
  }

  replicas(name: string, namespace = "api"): unknown {
    return this.store.get({ kind: "AgentPool", namespace, name })?.spec["replicas"];
  }

  /** Reasons of the Events of an object. */
  events(key: ObjectKey): readonly string[] {
    return this.store
      .list("Event")
      .map((event) => event as unknown as { involvedObject: { kind: string; name: string }; reason: string })
      .filter(({ involvedObject }) => involvedObject.kind === key.kind && involvedObject.name === key.name)
      .map(({ reason }) => reason);
  }
}

export const pool = (name: string, namespace = "api"): ObjectKey => ({ kind: "AgentPool", namespace, name });

export function poolText(name: string, replicas = 1, more = ""): string {
  return `apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: ${name}\n  namespace: api\n${more}spec:\n  role: crew # resident\n  provider: shell\n  replicas: ${replicas}\n`;
}

const SHELL = "apiVersion: town.dev/v1alpha1\nkind: Provider\nmetadata:\n  name: shell\nspec:\n  command: [sh]\n";

export const RIG = "apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata:\n  name: api\nspec:\n  path: /project\n";

export function townText(sync: string): string {
  return `apiVersion: town.dev/v1alpha1\nkind: Town\nmetadata:\n  name: hq\nspec:\n  sync:\n${sync}`;
}

export const roleText = (name: string, prompt: string): string =>
  `apiVersion: town.dev/v1alpha1\nkind: Role\nmetadata:\n  name: ${name}\nspec:\n  prompt: ${prompt}\n`;
