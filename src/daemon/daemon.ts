import { mkdirSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NodeGit } from "../adapters/git/node-git.ts";
import { createNodeFiles } from "../adapters/node-files.ts";
import { createNodeProcesses } from "../adapters/node-processes.ts";
import { NodeProcessLoad } from "../adapters/process-load.ts";
import { nodeRandom } from "../adapters/node-random.ts";
import { nodeMachineUse } from "../adapters/sessions/node-machine-use.ts";
import { baseEnvironment } from "../adapters/sessions/base-environment.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { createEngine } from "../engine/engine.ts";
import { acquireLeaderLock } from "../engine/leader-lock.ts";
import { TerminalError } from "../errors/town-error.ts";
import { projectGraph } from "../kinds/graph-projection.ts";
import { COMMAND_FIELDS } from "../kinds/command-fields.ts";
import { CONTROLLERS, KINDS } from "../kinds/index.ts";
import { REFERENCES } from "../kinds/references.ts";
import { SessionObserver } from "../kinds/session/session-observer.ts";
import type { TownSpec } from "../kinds/town/town.schema.ts";
import type { Log } from "../ports/log.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import { keyOf } from "../resource/object-meta.ts";
import { kindRegistry } from "../resource/kind-registry.ts";
import { createApi } from "../server/api.ts";
import { ensureCertificates, keepCertificatesFresh } from "../server/certificates.ts";
import { listenOnSocket, listenTlsOnStablePort } from "../server/listen.ts";
import { createStore } from "../store/store.ts";
import { expectStores } from "../work/expected-stores.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import type { KubeconfigEntry } from "../server/kubeconfig.ts";
import { openDesiredState } from "../sync/desired-state.ts";
import { furtherSourceController } from "../sync/further-source-controller.ts";
import { sourceController } from "../sync/source-controller.ts";
import { applyVerb } from "./apply-verb.ts";
import { bdVerb } from "./bd-verb.ts";
import { endpointFile } from "./endpoint.ts";
import { gitopsVerbs } from "./gitops-verbs.ts";
import { InternalCalls } from "./internal-calls.ts";
import { FormulaFiles } from "./formula-files.ts";
import { TownGraphs } from "../graph/graph-host.ts";
import { townHash, townLayout } from "./layout.ts";
import { LoopSwitches } from "./loop-switches.ts";
import { kubeconfigVerb } from "./kubeconfig-verb.ts";
import { rigVerbs } from "./rig-verbs.ts";
import { watchRigs } from "./watch-rigs.ts";
import { mayorVerb } from "./mayor-verb.ts";
import { openRigGraphs } from "./rig-graphs.ts";
import { openRuntime } from "./runtime.ts";
import { secretVerbs } from "./secret-verbs.ts";
import { seanceVerb } from "./seance-verb.ts";
import { endedSession, sessionLogs } from "./session-logs.ts";
import { displayStatus } from "./status-display.ts";
import { TokenRegistry } from "./session-tokens.ts";
import { tokenVerbs } from "./token-verbs.ts";
import { keepTotals } from "./town-totals.ts";
import { townVerbs } from "./verbs.ts";
import { townWriters } from "./writers.ts";
import { watchTown } from "./watch-town.ts";

export interface DaemonOptions {
  /** Worktree of the town repository. */
  readonly directory: string;
  /** Loops to run; undefined: as the Town says. */
  readonly loops: readonly string[] | undefined;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

export interface RunningDaemon {
  /** Ends loops, API and stores in that order; sessions of agents go on. */
  stop(): Promise<void>;
}

const HQ = { kind: "Town", name: "hq" } as const;
const dist = fileURLToPath(new URL("..", import.meta.url));
const packageRoot = fileURLToPath(new URL("../..", import.meta.url));

/** Starts a town's controller: store, source, work graphs, runtime, loops, API, in that order. */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  const { log, env } = options;
  const files = createNodeFiles();
  const processes = createNodeProcesses();
  const git = new NodeGit({ owners: processes });
  const repository = await git.open(options.directory);
  if (repository === undefined)
    throw new TerminalError("RepositoryNotFound", `no git repository at ${options.directory}`, {
      hint: "make a town: town init DIR",
    });
  const layout = townLayout(repository.path, repository.commonDirectory, env["XDG_RUNTIME_DIR"]);
  mkdirSync(layout.state, { recursive: true, mode: 0o700 });
  const lock = await acquireLeaderLock({
    files,
    processes,
    clock: systemClock,
    random: nodeRandom,
    path: `${layout.state}/controller.lock`,
    version: options.version,
  });
  const closers: (() => Promise<unknown>)[] = [() => lock.release()];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed())
      await close().catch((error: unknown) => log.warn({ err: error }, "could not close cleanly"));
  };
  try {
    closers.push(() => git.close());
    const registry = kindRegistry(KINDS);
    const writers = townWriters();
    const store = await createStore({
      registry,
      clock: systemClock,
      random: nodeRandom,
      log,
      persistence: { files, directory: `${layout.state}/store` },
      writers: () => writers.table,
    });
    closers.push(() => store.close());
    const email = await repository.config("user.email");
    const tokens = await TokenRegistry.open(files, nodeRandom, layout, email, systemClock);
    const formulas = new FormulaFiles(files, [join(layout.root, "formulas"), join(packageRoot, "formulas")], {
      log,
      clock: systemClock,
    });
    await formulas.load();
    const graphs = new TownGraphs({
      files,
      clock: systemClock,
      random: nodeRandom,
      processes,
      log,
      // An agent's work is its owner's.
      emailOf: (actor) =>
        tokens.emailOf(actor) ??
        (/^(?!loop\/)[^/]+\//.test(actor) ? ((store.get(HQ)?.spec ?? {}) as Partial<TownSpec>).owner : undefined),
      project: (graph) =>
        projectGraph(graph, store, (err, id) => log.error({ err, bead: id }, "a record cannot be shown in the API")),
    });
    closers.push(() => graphs.closeAll());
    const desired = openDesiredState({
      root: layout.root,
      repository,
      git,
      files,
      clock: systemClock,
      log,
      store,
      kinds: KINDS,
      references: REFERENCES,
      commandFields: COMMAND_FIELDS,
      builtinDirectory: join(packageRoot, "manifests", "builtin"),
    });
    await desired
      .begin()
      .catch((error: unknown) => log.warn({ err: error }, "the first sync failed; it is tried again"));
    expectStores(store, graphs.directory);
    await graphs.open("hq", repository, { prefix: "hq", branch: "town/work" });
    const sessions = await openRuntime((store.get(HQ)?.spec ?? {}) as TownSpec, {
      state: layout.state,
      label: `town-${townHash(repository.commonDirectory)}`,
      townCommand: [process.execPath, join(dist, "bin", "town.cjs"), "-C", layout.root],
      clock: systemClock,
      log,
    });
    closers.push(() => sessions.close());
    const metrics = createMetrics();
    metrics.gaugeOf("town_store_objects", "kind", () =>
      [...registry.kinds, { kind: "Event" }].map(({ kind }) => [kind, store.list(kind).length]),
    );
    metrics.gaugeOf("town_graph_records", "namespace", () =>
      graphs.directory.stores().map(({ namespace, size }) => [namespace, size]),
    );
    const view = new SessionObserver({ clock: systemClock, sessions, objects: store, log });
    const ports: LoopPorts = {
      clock: systemClock,
      random: nodeRandom,
      files,
      git,
      processes,
      load: new NodeProcessLoad(systemClock),
      sessions,
      graphs: graphs.directory,
      objects: store,
      events: store,
      log,
      metrics,
      layout,
      formulas,
      tokens,
      view,
      graphHost: graphs,
      collectOwned: () => store.collect(),
      shellAgent: [process.execPath, join(dist, "shell-agent", "main.js")],
      turnRunner: [process.execPath, join(dist, "turn-runner", "main.js")],
      gitHooks: join(dist, "agent-hooks"),
      sessionPath: [join(dist, "agent-bin"), env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"].join(delimiter),
    };
    const ending = new AbortController();
    const observing = view.run(ending.signal);
    const summing = keepTotals({
      clock: systemClock,
      objects: store,
      graphs: graphs.directory,
      log,
      signal: ending.signal,
    });
    const displaying = displayStatus({ clock: systemClock, objects: store, sessions, log, signal: ending.signal });
    const engine = createEngine({
      controllers: [sourceController(desired.sync), furtherSourceController(desired.further), ...CONTROLLERS],
      ports,
    });
    const switches = new LoopSwitches({
      engine,
      objects: store,
      collection: { start: () => store.startCollection(), stop: () => store.stopCollection() },
      given: options.loops,
    });
    const unfollow = switches.follow();
    if (!switches.runs("rigs")) await openRigGraphs(ports);
    engine.start();
    await formulas.show(store);
    const stopLoops = async (): Promise<void> => {
      unfollow();
      await engine.stop();
      ending.abort();
      await Promise.all([observing, displaying, summing]);
    };
    closers.push(stopLoops);
    const { commits } = desired;
    await commits.recover();
    writers.connect({ graphs, desired: commits });
    const calls = new InternalCalls();
    const watching = watchTown({
      files,
      layout,
      repository,
      changed: (what) => {
        if (what !== "Refs") desired.sync.touch(what);
        engine.poke("source", HQ);
      },
      formulasRead: () => {
        void formulas.show(store);
        for (const pool of store.list("AgentPool")) engine.poke("workers", keyOf(pool));
      },
      formulas,
    });
    closers.push(() => watching.close());
    const watchingRigs = watchRigs({
      git,
      files,
      store,
      root: layout.root,
      poke: (name) => engine.poke("rigs", { kind: "Rig", name }),
    });
    closers.push(() => watchingRigs.close());
    const api = createApi({
      registry,
      store,
      events: store,
      clock: systemClock,
      random: nodeRandom,
      authenticator: { authenticate: (token) => calls.caller(token) ?? tokens.caller(token) },
      writers: writers.table,
      verbs: townVerbs({
        ports,
        stopLoops,
        more: [
          bdVerb({ ports, graphs, version: options.version }),
          applyVerb(registry, calls),
          ...gitopsVerbs({ registry, store, repository, desired, now: () => systemClock.now() }),
          ...rigVerbs({ registry, store, ports, commits, calls }),
          mayorVerb(ports, calls),
          seanceVerb({
            ports,
            environment: baseEnvironment(env),
            removeEmptyDirectory: (path) => rmdir(path).catch(() => undefined),
            logPath: (name, generation) => sessions.logPath(name, generation),
          }),
          ...secretVerbs({ files, layout, store, now: () => systemClock.now() }),
          ...tokenVerbs(tokens, () => kubeconfigEntry()),
          kubeconfigVerb(() => Promise.resolve(kubeconfigEntry()), files),
        ],
      }),
      sessionKind: "Session",
      machine: nodeMachineUse(systemClock),
      logs: sessionLogs(
        sessions,
        systemClock,
        (session) => view.sight(String(session.spec["runtimeName"])).state === "Running",
        endedSession(store),
      ),
      log,
      version: options.version,
      metrics,
      exposition: () => metrics.exposition(),
      problems: () => [
        ...(view.ready ? [] : ["sessions were not observed yet"]),
        ...(store.durable ? [] : ["the journal cannot be written; status is kept in memory only"]),
      ],
    });
    calls.connect(api);
    const listener = await listenOnSocket(api, layout.socket);
    const tlsFiles = { files, directory: `${layout.state}/tls`, clock: systemClock, random: nodeRandom };
    const certificates = await ensureCertificates(tlsFiles);
    const tls = await listenTlsOnStablePort(api, {
      files,
      portFile: `${layout.state}/tls/port`,
      random: nodeRandom,
      identity: certificates,
    });
    void keepCertificatesFresh({ ...tlsFiles, log, signal: ending.signal }, tls);
    const overseerToken = await tokens.overseerToken();
    const kubeconfigEntry = (): KubeconfigEntry => ({
      name: `town-${basename(layout.root)}`,
      server: `https://127.0.0.1:${tls.address}`,
      certificateAuthority: certificates.certificateAuthority,
      token: overseerToken,
    });
    closers.push(async () => {
      api.close();
      await Promise.all([listener.close(), tls.close()]);
    });
    const endpoint = await endpointFile({ files, processes, layout, tlsPort: Number(tls.address) });
    closers.push(() => endpoint.remove());
    log.info({ town: layout.root, socket: layout.socket, runtime: sessions.runtime }, "the town is up");
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
