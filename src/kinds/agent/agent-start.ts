import { WaitingError } from "../../errors/town-error.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { SessionStart } from "../../ports/sessions.ts";
import type { GraphTransaction } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { beadFile } from "../../work/bead-file.ts";
import { AGENT, agentRecord, nextGeneration } from "../../work/agent-record.ts";
import { type LaunchFact, noteConversation, resumable } from "../../work/conversation.ts";
import { noteSession } from "../../work/ledger.ts";
import { type Launch, launch } from "../../work/launch.ts";
import type { AgentPoolSpec } from "../agent-pool/agent-pool.schema.ts";
import type { ProviderSpec } from "../provider/provider.schema.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import type { RoleSpec } from "../role/role.schema.ts";
import type { TownSpec } from "../town/town.schema.ts";
import type { AgentObject } from "./agent.observe.ts";
import { resolveEnvironment, withGitHooks } from "../../work/session-environment.ts";
import { sessionDirectory } from "./agent-sandbox.ts";

const AUTHOR = { actor: "loop/workers" };

interface Place {
  /** Worktree. */
  readonly path: string;
  readonly runtimeName: string;
  readonly bead: string | undefined;
}

interface Settings {
  readonly pool: TownObject<AgentPoolSpec>;
  readonly provider: TownObject<ProviderSpec>;
  readonly role: TownObject<RoleSpec>;
  readonly town: TownObject<TownSpec> | undefined;
  readonly rig: TownObject<RigSpec> | undefined;
}

/**
 * Starts the agent's program under a new generation. The generation is raised in the graph first, so a crash in between
 * costs a number and never two live sessions on one hook.
 */
export async function startSession(object: AgentObject, what: Place, ports: LoopPorts): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const { name } = object.metadata;
  const settings = settingsOf(object, ports);
  const graph = ports.graphs.graph(namespace);
  if (graph === undefined || settings === undefined)
    throw new WaitingError("NotConfigured", `the pool, role or provider of ${object.spec.identity} is missing`, 2_000);
  const { started, generation } = await graph.transact(AUTHOR, (tx) => {
    const launched = launchOf(object, what, { settings, tx, ports });
    return {
      started: launched,
      generation: beginGeneration(tx, name, { what, settings, launched }),
    };
  });
  await ports.tokens.issue({
    namespace,
    agent: name,
    identity: object.spec.identity,
    generation,
    permissions: settings.role.spec.permissions,
  });
  await writeFiles(started, sessionDirectory(namespace, name, ports), ports);
  const owner =
    (what.bead === undefined ? undefined : graph.get(what.bead)?.owner) ??
    settings.town?.spec.owner ??
    "overseer@town.invalid";
  const session = await ports.sessions.start({
    name: what.runtimeName,
    namespace,
    agent: name,
    role: object.spec.role,
    generation,
    ...(what.bead === undefined ? {} : { bead: what.bead }),
    cwd: what.path,
    argv: started.argv,
    env: await environmentOf(object, { settings, started, generation, owner }, ports),
  });
  await ports.view.note(what.runtimeName, session);
  ports.events.record(
    { kind: "Agent", namespace, name },
    {
      type: "Normal",
      reason: "SessionStarted",
      message: `generation ${generation}${what.bead === undefined ? "" : ` on ${what.bead}`}${started.resumes ? `, resuming ${started.session}` : ""}`,
    },
  );
}

function settingsOf(object: AgentObject, ports: LoopPorts): Settings | undefined {
  const namespace = object.metadata.namespace ?? "hq";
  const get = <T>(kind: string, name: string, within?: string): T | undefined =>
    ports.objects.get({ kind, name, ...(within === undefined ? {} : { namespace: within }) }) as T | undefined;
  const pool = get<Settings["pool"]>("AgentPool", object.spec.pool, namespace);
  const provider = pool === undefined ? undefined : get<Settings["provider"]>("Provider", pool.spec.provider);
  const role = get<Settings["role"]>("Role", object.spec.role);
  if (pool === undefined || provider === undefined || role === undefined) return undefined;
  return { pool, provider, role, town: get("Town", "hq"), rig: get("Rig", namespace) };
}

type StartedLaunch = Launch & { readonly resumes: boolean };

function launchOf(
  object: AgentObject,
  what: Place,
  of: { readonly settings: Settings; readonly tx: GraphTransaction; readonly ports: LoopPorts },
): StartedLaunch {
  const { settings, tx, ports } = of;
  const { pool, provider, role } = settings;
  const record = agentRecord(tx, object.metadata.name);
  const canResume = provider.spec.resume?.args !== undefined || provider.spec.headless?.resumeArgs !== undefined;
  const resume =
    record === undefined || !canResume
      ? undefined
      : resumable(record, {
          provider: provider.metadata.name,
          directory: what.path,
          bead: what.bead,
          failures: object.status?.failures ?? 0,
        });
  const launched = launch({
    program: provider.spec,
    model: pool.spec.model,
    effort: pool.spec.effort,
    sandbox: what.path,
    directory: sessionDirectory(object.metadata.namespace ?? "hq", object.metadata.name, ports),
    hasWork: what.bead !== undefined,
    resume,
    newSession: ports.random.uuid(),
    shipped: { shellAgent: ports.shellAgent },
    turnRunner: ports.sessions.runtime === "process" ? ports.turnRunner : undefined,
    endsWithoutWork: role.spec.lifecycle === "Ephemeral",
  });
  return { ...launched, resumes: resume !== undefined };
}

/** Raises the generation and records how it is started, in one transaction. */
function beginGeneration(
  tx: GraphTransaction,
  name: string,
  of: { readonly what: Place; readonly settings: Settings; readonly launched: StartedLaunch },
): number {
  const { what, launched } = of;
  const { pool, provider } = of.settings;
  const generation = nextGeneration(tx, name, what.bead);
  const record = agentRecord(tx, name);
  if (record === undefined) return generation;
  const model = pool.spec.model ?? provider.spec.model;
  const effort = pool.spec.effort ?? provider.spec.effort;
  const fact: LaunchFact = {
    generation,
    provider: provider.metadata.name,
    directory: what.path,
    ...(what.bead === undefined ? {} : { bead: what.bead }),
    ...(model === undefined ? {} : { model }),
    ...(effort === undefined ? {} : { effort }),
  };
  const noted = tx.setMetadata(record.id, { [AGENT.launch]: fact });
  if (what.bead !== undefined) noteSession(tx, what.bead, { provider: provider.metadata.name, model, effort });
  // A program without a start hook cannot confirm its conversation: an id that was chosen is taken for begun.
  const told = provider.spec.hooks?.events.includes("SessionStart") === true;
  if (!told && !launched.resumes && launched.session !== undefined)
    noteConversation(tx, noted, { session: launched.session, bead: what.bead });
  return generation;
}

/** Files are written before the program starts and readable by this user alone; hooks in them run with its token. */
async function writeFiles(started: Launch, directory: string, ports: LoopPorts): Promise<void> {
  if (started.files.length > 0) await ports.files.makeDirectory(directory, { mode: 0o700 });
  for (const { path, text } of started.files) {
    await ports.files.makeDirectory(path.slice(0, path.lastIndexOf("/")), { mode: 0o700 });
    await ports.files.writeAtomic(path, text, { mode: 0o600 });
  }
}

async function environmentOf(
  object: AgentObject,
  of: { readonly settings: Settings; readonly started: Launch; readonly generation: number; readonly owner: string },
  ports: LoopPorts,
): Promise<SessionStart["env"]> {
  const namespace = object.metadata.namespace ?? "hq";
  const { town, rig, provider, pool } = of.settings;
  const person = of.owner.split("@")[0] ?? of.owner;
  return {
    ...withGitHooks(
      await resolveEnvironment([town?.spec.env, rig?.spec.env, provider.spec.env, pool.spec.env], ports),
      ports.gitHooks,
    ),
    ...of.started.env,
    PATH: ports.sessionPath,
    TOWN_SOCKET: ports.layout.socket,
    TOWN_TOKEN_FILE: ports.layout.sessionToken(namespace, object.metadata.name),
    TOWN_AGENT: object.spec.identity,
    TOWN_NAMESPACE: namespace,
    TOWN_GENERATION: String(of.generation),
    TOWN_BEAD_FILE: beadFile(ports.layout, namespace, object.metadata.name),
    GIT_AUTHOR_NAME: object.spec.identity,
    GIT_AUTHOR_EMAIL: of.owner,
    GIT_COMMITTER_NAME: person,
    GIT_COMMITTER_EMAIL: of.owner,
  };
}
