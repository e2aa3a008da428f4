import { formulaOf } from "../domain/formulas/formula.ts";
import { createEngine, type Engine } from "../engine/engine.ts";
import { TownGraphs } from "../graph/graph-host.ts";
import { projectGraph } from "../kinds/graph-projection.ts";
import { COMMAND_FIELDS } from "../kinds/command-fields.ts";
import { CONTROLLERS, KINDS } from "../kinds/index.ts";
import { REFERENCES } from "../kinds/references.ts";
import { SessionObserver } from "../kinds/session/session-observer.ts";
import { silentLog } from "../ports/log.ts";
import type { LoopPorts, TownLayout } from "../ports/loop-ports.ts";
import { kindRegistry } from "../resource/kind-registry.ts";
import type { Verb } from "../resource/verb.ts";
import { createStore, type Store } from "../store/store.ts";
import { furtherSourceController } from "../sync/further-source-controller.ts";
import { FurtherSources } from "../sync/further-sources.ts";
import { settingsOf, sourceController } from "../sync/source-controller.ts";
import { SourceSync } from "../sync/source-sync.ts";
import { closeVerb } from "../verbs/close.ts";
import { doneVerb } from "../verbs/done.ts";
import { nudgeVerb } from "../verbs/mail-writing.ts";
import { nudgeDrainVerb } from "../verbs/nudge-drain.ts";
import { handoffVerb } from "../verbs/handoff.ts";
import { hookVerb } from "../verbs/hook.ts";
import { joinVerb } from "../verbs/join.ts";
import { molVerb } from "../verbs/molecule.ts";
import { primeVerb } from "../verbs/prime.ts";
import { receiptVerb } from "../verbs/receipt.ts";
import { expectStores } from "../work/expected-stores.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { MemoryGit } from "./memory-git.ts";
import { MemoryMetrics } from "./memory-metrics.ts";
import { MemoryMachine } from "./memory-processes.ts";
import { type MemoryProgram, MemorySessions } from "./memory-sessions.ts";
import { Life, mortal } from "./mortal.ts";
import { seededRandom, type SeededRandom } from "./seeded-random.ts";
import { type Handed, simAgent, type SimMisbehaviour, type WorkDone } from "./sim-agent.ts";
import { unsynced } from "./unsynced.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export const TOWN = "/town";
export const RIG = "/project";
const HQ = { kind: "Town", name: "hq" } as const;

const LAYOUT: TownLayout = {
  root: TOWN,
  state: `${TOWN}/.git/town`,
  clone: (rig) => `${TOWN}/.git/town/rigs/${rig}.git`,
  sandbox: (namespace, rolePlural, agent) => `${TOWN}/rigs/${namespace}/${rolePlural}/${agent}`,
  reserve: (rig) => `${TOWN}/rigs/${rig}/.reserve`,
  plugins: (rig) => `${TOWN}/rigs/${rig}/.plugins`,
  refinery: (rig) => `${TOWN}/rigs/${rig}/refinery`,
  gateLog: (rig, mergeRequest, gate) => `${TOWN}/.git/town/log/gates/${rig}/${mergeRequest}-${gate}.log`,
  sessionToken: (namespace, agent) => `${TOWN}/.git/town/tokens/${namespace}-${agent}`,
  socket: "/run/town/api.sock",
};

const FORMULA = formulaOf(
  {
    formula: "work",
    steps: [
      { id: "implement", title: "Do the work" },
      { id: "verify", title: "Look at it", needs: ["implement"] },
      { id: "submit", title: "Hand it in", needs: ["verify"] },
    ],
  },
  "simulation",
);

const PERSON = { name: "Owner", email: "owner@example.org" };

/** One controller: everything that a killed process would take with it. */
export interface SimController {
  readonly life: Life;
  readonly store: Store;
  readonly engine: Engine;
  readonly verbs: ReadonlyMap<string, Verb>;
  readonly ports: LoopPorts;
  readonly metrics: MemoryMetrics;
}

export interface TownWorldOptions {
  /** One step in so many fills an agent's context, and it hands off. Default: none does. */
  readonly fullContexts?: number;
  readonly seed: number | string;
  readonly clock: VirtualClock;
  /** Manifests by path below `manifests/`. */
  readonly manifests: Readonly<Record<string, string>>;
  /** Files of the rig's first commit. */
  readonly project: Readonly<Record<string, string>>;
  /** Directory-less text of the built-in roles and providers, by file name. */
  readonly builtins: Readonly<Record<string, string>>;
  /** The gate: is the tree good? Gets the text of a file of it. */
  readonly gate: (read: (path: string) => Promise<string | undefined>) => Promise<boolean>;
  /** How long the gate takes. Default: 1 s. */
  readonly gateMs?: number;
  /** Exit code of the set-up command `set-up`, which takes a while and writes `made`. Default: 0. */
  readonly setUp?: (random: SeededRandom) => number;
  /** Verbs beside those that agents need. Default: none. */
  readonly verbs?: (ports: LoopPorts, graphs: TownGraphs) => readonly Verb[];
  /** How each new session goes wrong. Default: none does. */
  readonly misbehaviour?: (random: SeededRandom) => SimMisbehaviour;
}

/** A whole town on twins of the machine, under one clock and one seed. */
export class TownWorld {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly disk: MemoryDisk;
  readonly git: MemoryGit;
  readonly machine: MemoryMachine;
  readonly sessions: MemorySessions;
  readonly worked: WorkDone[] = [];
  /** Messages that sessions were shown, in order, and what each said that it was shown. */
  readonly handed: (Handed & { readonly event: "Shown" | "Receipted" })[] = [];
  /** What a person wrote to agents. */
  readonly written: { readonly agent: string; readonly subject: string }[] = [];
  /** Commits that agents made. */
  readonly committed = new Set<string>();
  /** Share of verbs whose answer is lost, and of typed lines that no program reads. */
  answersLost = 0;
  /** Share of the programs' hooks that are killed between the town's answer and the receipt for it. */
  hooksKilled = 0;
  typingLost = 0;
  /** How often an agent was to hand off. */
  handoffs = 0;
  /** First processes of the sessions whose programs have started something that works. */
  readonly toolsWork = new Set<number>();
  /** Output tokens that each agent's programs wrote down. */
  readonly used = new Map<string, number>();
  /** The limit of all programs, until when by the clock that nobody sets, and what they say of it. */
  limit: { readonly untilMs: number; readonly told: string } | undefined;
  /** Sessions that were started where no set-up had ended. */
  readonly unprepared: string[] = [];
  /** Commits that people made on the target themselves. */
  readonly pushed = new Set<string>();
  gateRuns = 0;
  /** Trees that passed the gate. */
  readonly passedTrees = new Set<string>();
  /** The program that people start themselves. */
  readonly guest: MemoryProgram;
  readonly #heard = new Map<string, number>();
  readonly #verbs: TownWorldOptions["verbs"];
  #controller: SimController | undefined;

  private constructor(options: TownWorldOptions) {
    const { clock } = options;
    this.clock = clock;
    this.#verbs = options.verbs;
    this.random = seededRandom(options.seed);
    this.disk = new MemoryDisk({ clock });
    this.git = new MemoryGit({ clock, files: this.disk.mount() });
    this.machine = new MemoryMachine({ clock, files: this.disk.mount() });
    const mischief = this.random.fork("mischief");
    const contexts = this.random.fork("contexts");
    const surroundings: Parameters<typeof simAgent>[0] = {
      clock,
      git: this.git,
      random: this.random.fork("agents"),
      worked: (work) => this.worked.push(work),
      committed: (commit) => this.committed.add(commit),
      handed: (message) => this.handed.push({ ...message, event: "Shown" }),
      receipted: (messages) => this.handed.push(...messages.map((each) => ({ ...each, event: "Receipted" }) as const)),
      hookDies: () => {
        if (mischief.float() >= this.hooksKilled) return undefined;
        return mischief.below(2) === 0 ? "BeforeOutput" : "BeforeReceipt";
      },
      misbehaviour: () => options.misbehaviour?.(mischief) ?? "None",
      handsOff: () => {
        const isFull = options.fullContexts !== undefined && contexts.below(options.fullContexts) === 0;
        if (isFull) this.handoffs += 1;
        return isFull;
      },
      files: this.disk.mount(),
      limit: () => (this.limit !== undefined && this.limit.untilMs > clock.monotonicMs() ? this.limit.told : undefined),
      used: (name, tokens) => this.used.set(name, (this.used.get(name) ?? 0) + tokens),
      call: (caller, name, args) => {
        const controller = this.#controller;
        if (controller === undefined || controller.life.dead) return undefined;
        this.#heard.set(`${caller.session?.namespace}/${caller.session?.agent}`, clock.monotonicMs());
        const answer = controller.verbs.get(name)?.run({ caller, args, signal: new AbortController().signal });
        if (answer === undefined || mischief.float() >= this.answersLost) return answer;
        // It takes effect, and nobody hears of it.
        return answer.then(() => new Promise<never>(() => undefined));
      },
    };
    const agent = simAgent(surroundings);
    // A person's program keeps to itself what it used, and does what its person wants.
    this.guest = simAgent({
      ...surroundings,
      misbehaviour: () => "None",
      used: () => undefined,
      limit: () => undefined,
    });
    this.sessions = new MemorySessions({
      clock,
      resolve: (start) => {
        void this.#notePreparation(start.name, start.cwd);
        return agent;
      },
      startDelayMs: () => 50,
      losesTyping: () => mischief.float() < this.typingLost,
    });
    this.machine.install("sh", async (run) => {
      if (run.args.at(-1) === "set-up") {
        await clock.sleep(20_000 + mischief.below(40_000));
        const exitCode = options.setUp?.(mischief) ?? 0;
        if (exitCode === 0 && (await this.disk.mount().stat(`${run.cwd}/.git`)) !== undefined)
          await this.git.writeFile(run.cwd, "made", "");
        return exitCode;
      }
      await clock.sleep(options.gateMs ?? 1_000);
      this.gateRuns += 1;
      const passed = await options.gate((path) => this.git.readFile(run.cwd, path));
      const worktree = await this.git.open(run.cwd);
      const status = await worktree?.worktreeStatus(run.cwd);
      const commit = status?.head === undefined ? undefined : await worktree?.objects.readCommit(status.head);
      if (passed && commit !== undefined) this.passedTrees.add(commit.tree);
      run.print(passed ? "ok\n" : "not ok\n");
      return passed ? 0 : 1;
    });
  }

  static async make(options: TownWorldOptions): Promise<TownWorld> {
    const world = new TownWorld(options);
    const files = world.disk.mount();
    const project = await world.git.init(RIG, { bare: false, branch: "main" });
    for (const [path, text] of Object.entries(options.project)) await world.git.writeFile(RIG, path, text);
    await project.commitAll(RIG, "begin\n", PERSON, PERSON);
    const town = await world.git.init(TOWN, { bare: false, branch: "main" });
    for (const [path, text] of Object.entries(options.manifests))
      await world.git.writeFile(TOWN, `manifests/${path}`, text);
    await town.commitAll(TOWN, "town\n", PERSON, PERSON);
    await files.makeDirectory("/builtin");
    for (const [name, text] of Object.entries(options.builtins)) await files.writeAtomic(`/builtin/${name}`, text);
    return world;
  }

  async #notePreparation(session: string, cwd: string): Promise<void> {
    if ((await this.disk.mount().stat(`${cwd}/made`)) === undefined) this.unprepared.push(`${session} in ${cwd}`);
  }

  get isDown(): boolean {
    return this.#controller === undefined || this.#controller.life.dead;
  }

  get controller(): SimController {
    if (this.#controller === undefined) throw new Error("no controller was started");
    return this.#controller;
  }

  /** Commits manifests as a person would; undefined removes a file. */
  async commit(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
    for (const [path, text] of Object.entries(changes)) {
      if (text === undefined) await this.git.removeFile(TOWN, `manifests/${path}`);
      else await this.git.writeFile(TOWN, `manifests/${path}`, text);
    }
    await this.git.commit(TOWN, "change\n", PERSON);
    this.#controller?.engine.poke("source", HQ);
  }

  /** Commits to the rig's target as a person would, in its checkout; undefined removes a file. */
  async push(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
    for (const [path, text] of Object.entries(changes)) {
      if (text === undefined) await this.git.removeFile(RIG, path);
      else await this.git.writeFile(RIG, path, text);
    }
    const commit = await this.git.commit(RIG, "by hand\n", PERSON);
    if (commit !== undefined) this.pushed.add(commit);
  }

  /** Starts a controller; the one before must be dead. */
  async start(): Promise<SimController> {
    const life = new Life();
    const { clock } = this;
    const startedMs = clock.monotonicMs();
    const files = mortal(this.disk.mount(), life);
    const git = mortal(this.git, life);
    const machine = this.machine.life();
    life.onDeath(() => machine.endLife());
    const mortalClock = mortal(clock, life);
    const processes = machine.processes;
    const registry = kindRegistry(KINDS);
    const random = this.random.fork(`controller ${clock.monotonicMs()}`);
    const store = await createStore({
      registry,
      clock: mortalClock,
      random,
      log: silentLog,
      persistence: { files, directory: `${LAYOUT.state}/store` },
    });
    const graphs = new TownGraphs({
      files,
      clock: mortalClock,
      random,
      processes,
      log: silentLog,
      project: (graph) =>
        projectGraph(graph, store, (error) => {
          throw error;
        }),
    });
    const following = {
      root: TOWN,
      git,
      files,
      clock: mortalClock,
      log: silentLog,
      store,
      kinds: KINDS,
      references: REFERENCES,
      builtinDirectory: "/builtin",
      commandFields: COMMAND_FIELDS,
    };
    const sync = new SourceSync(following);
    const further = new FurtherSources(sync, following);
    await sync.builtins.declare();
    const town = store.get(HQ);
    if (town !== undefined) await sync.sync(settingsOf(town));
    const repository = await git.open(TOWN);
    if (repository === undefined) throw new Error("the town repository vanished");
    expectStores(store, graphs.directory);
    await graphs.open("hq", repository, { prefix: "hq", branch: "town/work" });
    const sessions = mortal(this.sessions.connect(), life);
    const view = new SessionObserver({ clock: mortalClock, sessions, objects: store, log: silentLog });
    const metrics = new MemoryMetrics();
    const ports: LoopPorts = {
      clock: mortalClock,
      random,
      files,
      git,
      processes,
      load: { busyBelow: (pids) => Promise.resolve(new Set(pids.filter((pid) => this.toolsWork.has(pid)))) },
      sessions,
      graphs: graphs.directory,
      objects: store,
      events: store,
      log: silentLog,
      metrics,
      layout: LAYOUT,
      formulas: { get: (name) => (name === FORMULA.name ? FORMULA : undefined), names: () => [FORMULA.name] },
      tokens: {
        issue: () => Promise.resolve(),
        revoke: () => Promise.resolve(),
        held: () => Promise.resolve([]),
        heardMs: (namespace, agent) => Math.max(startedMs, this.#heard.get(`${namespace}/${agent}`) ?? 0),
      },
      view,
      graphHost: graphs,
      collectOwned: () => store.collect(),
      shellAgent: ["shell-agent"],
      turnRunner: ["turn-runner"],
      sessionPath: "/bin",
      gitHooks: "/hooks",
    };
    const engine = createEngine({
      controllers: unsynced([sourceController(sync), furtherSourceController(further), ...CONTROLLERS]),
      ports,
    });
    const ending = new AbortController();
    life.onDeath(() => {
      ending.abort();
      void engine.stop({ drainMs: 0 });
    });
    void view.run(ending.signal);
    engine.start();
    store.startCollection();
    const verbs = new Map(
      [
        primeVerb(ports),
        receiptVerb(ports),
        doneVerb(ports),
        closeVerb(ports),
        handoffVerb(ports),
        molVerb("current", ports),
        nudgeVerb(ports),
        nudgeDrainVerb(ports),
        hookVerb(ports),
        joinVerb(ports),
        ...(this.#verbs?.(ports, graphs) ?? []),
      ].map((verb) => [verb.name, verb]),
    );
    this.#controller = { life, store, engine, verbs, ports, metrics };
    return this.#controller;
  }
}
