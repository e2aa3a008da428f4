import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import type { RigSpec } from "../kinds/rig/rig.schema.ts";
import type { RoleSpec } from "../kinds/role/role.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { type AddressedAgent, agentNamed, allAgents } from "../work/agent-address.ts";
import { AGENT, agentRecord, declareAgent, hookOf, identityText } from "../work/agent-record.ts";
import { beadFile } from "../work/bead-file.ts";
import { joinedOf, recordJoined, recordLeft } from "../work/joined.ts";
import { metaText } from "../work/record-fields.ts";
import { withGitHooks } from "../work/session-environment.ts";
import { authorOf, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { clearHook } from "./hook-clear.ts";
import { type Once, repeatable } from "./repeatable.ts";
import { sandboxPath } from "./sandbox-place.ts";

const joinArguments = z.strictObject({
  agent: z.string().min(1).optional(),
  rig: z.string().min(1).optional(),
  role: z.string().min(1).default("crew"),
  leave: z.boolean().default(false),
  force: z.boolean().default(false),
});

/** A worktree of a large repository takes its time. */
const SANDBOX_WITHIN_MS = 120_000;
const POLL_MS = 100;

/**
 * `town join [AGENT]`: a program that a person started takes an identity, its hook and its mail, and answers with the
 * environment that makes it that agent. Nothing here ends it: it is heard through its verbs only. `--leave` gives the
 * hook back and makes the token void.
 */
export function joinVerb(ports: LoopPorts): Verb {
  return repeatable(ports, {
    name: "join",
    summary: "take an identity, hook and mail for a program you started",
    needs: "agent",
    async run({ caller, args, signal }, once) {
      const options = argumentsOf("join", joinArguments, args);
      if (options.leave)
        return await leave(leaving(options.agent, caller, ports), { force: options.force, caller, once }, ports);
      if (caller.session !== undefined)
        throw new ApiStatusError(409, "JoinedAlready", `this program is ${caller.name} already`, {
          hint: "town prime; or leave it: town join --leave",
        });
      const agent = await identityFor(options, { caller, once }, ports);
      const joined = await join(agent, { caller, once }, ports);
      await sandboxOf(agent, ports, signal);
      return joined;
    },
  });
}

interface By {
  readonly caller: Caller;
  readonly once: Once;
}

/** An agent that is there and rests, or a new one of the role. */
async function identityFor(
  options: z.infer<typeof joinArguments>,
  { caller, once }: By,
  ports: LoopPorts,
): Promise<AddressedAgent> {
  const { agent: named } = options;
  const known = named === undefined ? undefined : existing(named, options.rig, ports);
  if (known !== undefined) return known;
  const namespace = options.rig ?? onlyRig(ports);
  const graph = ports.graphs.graph(namespace);
  const role = ports.objects.get({ kind: "Role", name: options.role }) as TownObject<RoleSpec> | undefined;
  if (graph === undefined || role === undefined)
    throw new ApiStatusError(
      404,
      "NotFound",
      graph === undefined ? `there is no rig ${namespace}` : `there is no Role '${options.role}'`,
      { hint: graph === undefined ? "town get rigs" : "town get roles" },
    );
  if (named !== undefined && !/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/.test(named))
    throw new ApiStatusError(
      400,
      "BadRequest",
      `'${named}' cannot be an agent's name: lower-case letters, digits and '-'`,
      {
        hint: "town join NAME",
      },
    );
  const rolePlural = role.spec.plural ?? `${options.role}s`;
  const declare = (tx: GraphTransaction): string => {
    const name = named ?? freeName(tx);
    const identity = identityText({ namespace, rolePlural, name, singleton: role.spec.singleton });
    declareAgent(tx, graph.prefix, { name, identity, role: options.role, pool: "", desired: "Stopped" });
    return identity;
  };
  return agentNamed(await graph.transact(authorOf(caller), declare, once.part("identity")), ports);
}

function existing(named: string, rig: string | undefined, ports: LoopPorts): AddressedAgent | undefined {
  const found = allAgents(ports).some(
    (agent) => agent.name === named || agent.identity === named || `${agent.namespace}/${agent.name}` === named,
  );
  if (!found) return undefined;
  const agent = agentNamed(named, ports, rig);
  if (rig !== undefined && agent.namespace !== rig) return undefined;
  const role = metaText(agent.record, AGENT.role) ?? "";
  const sight = ports.view.sight(`${agent.namespace}-${role}-${agent.name}`);
  if (sight.state === "Absent" || sight.state === "Exited") return agent;
  throw new ApiStatusError(409, "SessionRunning", `a session of the town runs ${agent.identity}`, {
    hint: `look at it: town attach ${agent.identity}; or take another name: town join NAME`,
  });
}

function onlyRig(ports: LoopPorts): string {
  const rigs = (ports.objects.list("Rig") as readonly TownObject<RigSpec>[]).map((rig) => rig.metadata.name);
  if (rigs.length === 1 && rigs[0] !== undefined) return rigs[0];
  throw new ApiStatusError(400, "BadRequest", "town join: say which rig a new agent belongs to", {
    hint: `town join NAME --rig ${rigs.join("|") || "RIG"}`,
  });
}

function freeName(graph: GraphReader): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? "guest" : `guest-${number}`;
    const record = agentRecord(graph, name);
    if (record === undefined || joinedOf(record) === undefined) return name;
  }
}

async function join(agent: AddressedAgent, { caller, once }: By, ports: LoopPorts): Promise<VerbResult> {
  const { namespace, name, identity, graph } = agent;
  const role = ports.objects.get({ kind: "Role", name: metaText(agent.record, AGENT.role) ?? "" }) as
    | TownObject<RoleSpec>
    | undefined;
  const take = (tx: GraphTransaction): number => recordJoined(tx, name, hookOf(tx, identity)?.id);
  const generation = await graph.transact(authorOf(caller), take, once.part("generation"));
  await ports.tokens.issue({ namespace, agent: name, identity, generation, permissions: role?.spec.permissions ?? [] });
  ports.events.record(
    { kind: "Agent", namespace, name },
    { type: "Normal", reason: "Joined", message: `a program of ${caller.name} is ${identity} now`, actor: caller.name },
  );
  const email = caller.email ?? "overseer@town.invalid";
  const own = {
    TOWN_SOCKET: ports.layout.socket,
    TOWN_TOKEN_FILE: ports.layout.sessionToken(namespace, name),
    TOWN_AGENT: identity,
    TOWN_NAMESPACE: namespace,
    TOWN_GENERATION: String(generation),
    GIT_AUTHOR_NAME: identity,
    GIT_AUTHOR_EMAIL: email,
    TOWN_BEAD_FILE: beadFile(ports.layout, namespace, name),
  };
  const env = withGitHooks(own, ports.gitHooks);
  const sandbox = sandboxPath(agent, ports);
  const lines = Object.entries(env).map(([key, value]) => `export ${key}=${quoted(value)}`);
  // The programs `town` and `bd` come before whatever else the person has of that name.
  const programs = ports.sessionPath.split(":")[0] ?? "";
  return {
    text: [
      `# ${identity}; take it with: eval "$(town join ${name})"`,
      ...lines,
      `export PATH=${quoted(programs)}:"$PATH"`,
      `cd ${quoted(sandbox)}`,
    ].join("\n"),
    data: { agent: identity, generation, env, programs, sandbox },
  };
}

/** The worktree is made by the loop; a program should find it there. */
async function sandboxOf(agent: AddressedAgent, ports: LoopPorts, signal: AbortSignal): Promise<void> {
  const path = sandboxPath(agent, ports);
  const deadline = ports.clock.monotonicMs() + SANDBOX_WITHIN_MS;
  while ((await ports.files.stat(`${path}/.git`)) === undefined) {
    if (signal.aborted || ports.clock.monotonicMs() >= deadline)
      throw new ApiStatusError(503, "SandboxNotReady", `the worktree of ${agent.identity} is not there yet`, {
        hint: `town describe agent ${agent.name} -n ${agent.namespace}`,
      });
    await ports.clock.sleep(POLL_MS, signal);
  }
}

function leaving(named: string | undefined, caller: Caller, ports: LoopPorts): AddressedAgent {
  if (caller.session !== undefined) {
    const session = sessionOf("join", caller, ports);
    if (named === undefined || named === session.identity || named === session.name) return session;
    throw new ApiStatusError(403, "Forbidden", `${caller.name} may not make ${named} leave`, {
      hint: "town join --leave",
    });
  }
  if (named === undefined)
    throw new ApiStatusError(400, "BadRequest", "town join --leave: say which agent", {
      hint: "town join AGENT --leave",
    });
  return agentNamed(named, ports);
}

async function leave(
  agent: AddressedAgent,
  { force, caller, once }: By & { readonly force: boolean },
  ports: LoopPorts,
): Promise<VerbResult> {
  const { namespace, name, identity, graph } = agent;
  if (joinedOf(agentRecord(graph, name)) === undefined)
    throw new ApiStatusError(409, "NotJoined", `no program has joined as ${identity}`, {
      hint: `town describe agent ${name} -n ${namespace}`,
    });
  const own = caller.session !== undefined;
  const cleared = await clearHook({ agent, caller, reason: "its program left", force, own, once: {} }, ports);
  const end = (tx: GraphTransaction): VerbResult => {
    recordLeft(tx, name);
    return { text: `${identity} has left`, data: { agent: identity, cleared: cleared.data } };
  };
  const left = await graph.transact(authorOf(caller), end, once.whole);
  await ports.tokens.revoke(namespace, name);
  ports.events.record(
    { kind: "Agent", namespace, name },
    { type: "Normal", reason: "Left", message: `the program that was ${identity} left`, actor: caller.name },
  );
  return left;
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
