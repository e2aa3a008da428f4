import { z } from "zod";
import type { BdContext, BdSession, ClosedStep } from "../bd/context.ts";
import { placeFlags } from "../bd/grammar/global-flags.ts";
import { runBd } from "../bd/run-bd.ts";
import { absolute } from "../bd/access/files.ts";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { generationOf as claimGeneration } from "../domain/work-graph/record/facts.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { GitGraph } from "../graph/git-graph.ts";
import type { RigSpec } from "../kinds/rig/rig.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphTransaction, WorkGraph } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import { conditionOf, READY } from "../resource/condition.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb } from "../resource/verb.ts";
import type { AgentSession } from "../verbs/agent-session.ts";
import { checkFence, hookedBead, sessionOf } from "../verbs/agent-session.ts";
import { argumentsOf } from "../verbs/arguments.ts";
import { onceFor } from "../verbs/repeatable.ts";
import { agentSessionName } from "../kinds/agent/agent.observe.ts";
import { AGENT, generationOf, hookOf } from "../work/agent-record.ts";
import { endAnsweredEscalations } from "../work/escalation.ts";
import { metaText } from "../work/record-fields.ts";
import { closeStep, moleculeOf } from "../work/molecule.ts";
import { SteadyTime } from "../work/steady-time.ts";
import { rigSource } from "../work/rig-target.ts";
import { noteDenial } from "../server/denial.ts";
import { bdTools } from "./bd-tools.ts";
import { storeKey } from "../graph/paths.ts";
import type { TownGraphs } from "../graph/graph-host.ts";

const bdArguments = z.strictObject({
  argv: z.array(z.string()),
  cwd: z.string().optional(),
  stdin: z.string().optional(),
  /** Columns of the terminal on which the answer is shown; absent: it goes to a pipe. */
  columns: z.int().min(20).max(1000).optional(),
  env: z.record(z.string(), z.string()).optional(),
  /** The same call again (its answer was lost) changes nothing twice. */
  request: z.string().min(8).max(100).optional(),
});

export interface BdVerbParts {
  readonly ports: LoopPorts;
  readonly graphs: TownGraphs;
  readonly version: string;
}

/** `town bd …`: bd's command line over the stores of the town. */
export function bdVerb(parts: BdVerbParts): Verb {
  const steady = new SteadyTime(parts.ports.clock);
  return {
    name: "bd",
    summary: "beads with bd's commands, flags and output",
    needs: "view",
    async run({ caller, args, signal }) {
      const options = argumentsOf("bd", bdArguments, args);
      const session = caller.session === undefined ? undefined : sessionOf("bd", caller, parts.ports);
      const cwd = options.cwd ?? session?.sandbox ?? parts.ports.layout.root;
      const home = await homeStore(options.argv, cwd, session, parts, signal);
      const { requestId } = onceFor("bd", caller, options.request).whole;
      const context: BdContext = {
        graphs: parts.ports.graphs,
        home,
        actor: session?.identity ?? caller.name,
        ...(caller.email === undefined || session !== undefined ? {} : { owner: caller.email }),
        ...(caller.role === "agent"
          ? { session: bdSession(caller, session?.author.session ?? caller.name, session?.sandbox ?? cwd) }
          : {}),
        ...(requestId === undefined ? {} : { request: requestId }),
        readOnly: caller.role === "view",
        clock: parts.ports.clock,
        files: parts.ports.files,
        cwd,
        ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
        isTerminal: options.columns !== undefined,
        ...(options.columns === undefined ? {} : { columns: options.columns }),
        env: options.env ?? {},
        version: parts.version,
        tools: toolsOf(parts, caller.role === "agent"),
        guardClose: (id) => hookGuard(id, session),
        closeStep: (tx, id, reason) => closeMoleculeStep(tx, id, reason, session),
        changedStatus: endAnsweredEscalations,
        holderGone: (record) => holderGone(record, parts.ports),
        steadyMs: steady.ms(),
        denied: (message) => noteDenial(caller, message, parts.ports.events),
        signal,
      };
      const { stdout, stderr, exitCode } = await runBd(options.argv, context);
      // What the API shows next must have what was just acknowledged.
      await Promise.all(parts.ports.graphs.all().map(({ namespace }) => parts.graphs.settled(namespace)));
      return {
        text: stdout.replace(/\n$/, ""),
        ...(stderr === "" ? {} : { errorText: stderr.replace(/\n$/, "") }),
        exitCode,
      };
    },
  };
}

/** An agent's session, or a plugin's program, which has a directory and permissions but is no agent. */
function bdSession(caller: Caller, name: string, directory: string): BdSession {
  const permissions = caller.permissions ?? [];
  return {
    name,
    managesBeads: permissions.includes("*") || permissions.includes("*:beads"),
    createsBeads: permissions.includes("CreateBeads"),
    changesBeads: permissions.includes("CloseBeads"),
    seesToOthers: permissions.includes("Nudge"),
    directory,
  };
}

/** The agent's own rig; for people `--rig`, the rig their directory belongs to, else the town. */
async function homeStore(
  argv: readonly string[],
  cwd: string,
  session: AgentSession | undefined,
  parts: BdVerbParts,
  signal: AbortSignal,
): Promise<WorkGraph> {
  const { directory, rig } = placeFlags(argv);
  const named =
    rig ??
    session?.namespace ??
    rigAround(await around(directory === undefined ? cwd : absolute(directory, cwd), parts), parts);
  return openedStore(named ?? "hq", parts.ports, signal);
}

/** How long a rig that is declared may take until its store is open: a town that has just started, on a busy machine. */
const openWithinMs = 60_000;
/** That of a rig which says that it is not ready. */
const waitingWithinMs = 5_000;
const pollMs = 50;

async function openedStore(namespace: string, ports: LoopPorts, signal: AbortSignal): Promise<WorkGraph> {
  const rig = (): TownObject | undefined => ports.objects.get({ kind: "Rig", name: namespace });
  const isDeclared = namespace === "hq" || rig() !== undefined;
  const patience = (): number => {
    if (!isDeclared) return 0;
    return conditionOf(rig() ?? {}, READY)?.status === "False" ? waitingWithinMs : openWithinMs;
  };
  for (const began = ports.clock.monotonicMs(); ; ) {
    const graph = ports.graphs.graph(namespace);
    if (graph !== undefined) return graph;
    if (signal.aborted || ports.clock.monotonicMs() - began >= patience()) break;
    await ports.clock.sleep(pollMs, signal);
  }
  const known = ports.graphs.all().map((one) => one.namespace);
  if (!isDeclared)
    throw new ApiStatusError(404, "NotFound", `there is no rig "${namespace}"`, {
      hint: `there are: ${known.sort().join(", ")}`,
    });
  throw new ApiStatusError(503, "ServiceUnavailable", `the work graph of ${namespace} is not open yet; try again`, {
    hint: `town describe rig ${namespace} says what it waits for`,
  });
}

interface Around {
  /** Worktree or bare repository. */
  readonly path: string;
  readonly commonDirectory: string;
  /** The store that its git config names. */
  readonly store: string | undefined;
}

async function around(directory: string, { ports }: BdVerbParts): Promise<Around | undefined> {
  const repository = await ports.git.open(directory).catch(() => undefined);
  if (repository === undefined) return undefined;
  const { path, commonDirectory } = repository;
  return { path, commonDirectory, store: await repository.config(storeKey) };
}

/** Name of the rig whose clone, worktree or source repository that is; undefined for the town itself. */
function rigAround(place: Around | undefined, { ports, graphs }: BdVerbParts): string | undefined {
  if (place === undefined) return undefined;
  const { path, commonDirectory, store } = place;
  return ports.objects.list("Rig").find((rig) => {
    // git resolves symbolic links on the way to the clone.
    const open = graphs.directory.store(rig.metadata.name)?.repository.commonDirectory;
    const clones = [ports.layout.clone(rig.metadata.name), open];
    const source = rigSource((rig as TownObject<RigSpec>).spec, ports.layout.root);
    const isClone = [commonDirectory, store].some((known) => known !== undefined && clones.includes(known));
    return isClone || [path, commonDirectory].includes(source);
  })?.metadata.name;
}

/** Agents never push the work graph: what leaves this machine is for people to decide. */
function toolsOf({ ports, graphs }: BdVerbParts, isSession: boolean) {
  const storeOf = ({ namespace }: WorkGraph): GitGraph => {
    const store = graphs.directory.store(namespace);
    if (store === undefined)
      throw new ApiStatusError(503, "ServiceUnavailable", `the work graph of ${namespace} was closed; try again`, {
        hint: `town describe rig ${namespace}`,
      });
    return store;
  };
  const mayPush = ({ namespace }: WorkGraph): boolean => {
    const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
    return !isSession && (namespace === "hq" || rig?.spec.push.work === true);
  };
  return bdTools({
    storeOf,
    files: ports.files,
    clock: ports.clock,
    random: ports.random,
    mayPush,
  });
}

/** What is on the hook ends with `town done`, which keeps its commits. */
function hookGuard(id: string, session: AgentSession | undefined): string | undefined {
  if (session === undefined) return undefined;
  if (hookOf(session.graph, session.identity)?.id !== id) return undefined;
  return `${id} is on your hook: closing or dropping it here would lose its work`;
}

/** The session that holds a claim was replaced, or a trustworthy look at the sessions does not find it. */
function holderGone(record: BeadRecord, { graphs, view }: LoopPorts): boolean {
  for (const graph of graphs.all()) {
    const agent = graph.list({ type: ["agent"] }).find(({ title }) => title === record.assignee);
    if (agent === undefined) continue;
    if (generationOf(agent) > (claimGeneration(record) ?? 0)) return true;
    if (!view.ready || view.frozen) return false;
    const role = metaText(agent, AGENT.role) ?? "";
    const { state } = view.sight(agentSessionName(graph.namespace, { role }, metaText(agent, AGENT.name) ?? ""));
    return state === "Exited" || state === "Absent";
  }
  return false;
}

/** Steps close in their order, and an agent closes those of its own work. */
function closeMoleculeStep(
  tx: GraphTransaction,
  id: string,
  reason: string | undefined,
  session: AgentSession | undefined,
): ClosedStep | undefined {
  if (tx.get(id)?.metadata?.[META.step] === undefined) return undefined;
  if (session !== undefined) {
    checkFence(tx, session.name, session.generation);
    if (hookedBead("bd close", session, tx).metadata?.[META.molecule] !== moleculeOf(tx, id)?.id)
      throw new ApiStatusError(403, "Forbidden", `${id} is no step of the work on your hook`, {
        hint: "town mol current",
      });
  }
  return closeStep(tx, id, reason);
}
