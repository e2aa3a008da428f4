import { z } from "zod";
import { cook } from "../domain/formulas/cook.ts";
import type { Formula } from "../domain/formulas/formula.ts";
import type { FormulaProblem } from "../domain/formulas/formula-problem.ts";
import { META } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphTransaction, NewBead, WorkGraph } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { type AddressedAgent, agentNamed } from "../work/agent-address.ts";
import { markSlung, type Sling, workOf } from "../work/sling.ts";
import { authorOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { putOnHook } from "./hook-put.ts";
import { missingBead } from "./missing-bead.ts";
import { requirePermission } from "./permission.ts";
import { type Once, repeatable } from "./repeatable.ts";

const slingArguments = z.strictObject({
  beads: z.array(z.string().min(1).max(500)).min(1),
  to: z.string().min(1).optional(),
  formula: z.string().min(1).optional(),
  var: z.array(z.string().max(10_000)).optional(),
});

/** Who gets the work. */
type Target = { readonly kind: "Agent"; readonly agent: AddressedAgent } | RigTarget;
type RigTarget =
  | { readonly kind: "Pool"; readonly namespace: string; readonly pool: string }
  | { readonly kind: "Rig"; readonly namespace: string };

/**
 * `town sling BEAD...|TEXT [--to AGENT|POOL|RIG]`: the work begins as soon as it is ready. An epic slings its open
 * children; a text with spaces becomes a bead of the target's rig first.
 */
export function slingVerb(ports: LoopPorts): Verb {
  return repeatable(ports, {
    name: "sling",
    summary: "have beads worked: by a rig's pools, one pool or one agent",
    needs: "agent",
    async run({ caller, args }, once) {
      const options = argumentsOf("sling", slingArguments, args);
      requirePermission(caller, "Sling", "sling work", ports);
      const plan = planOf(options.formula, options.var ?? [], ports);
      const target = options.to === undefined ? undefined : targetOf(options.to, caller, ports);
      const answers: VerbResult[] = [];
      for (const [at, word] of options.beads.entries()) {
        const bead = /\s/.test(word) ? beadOf(word, caller) : word;
        answers.push(await slingOne(bead, { target, plan, caller, once: once.part(String(at)) }, ports));
      }
      return { text: answers.map((answer) => answer.text).join("\n"), data: answers.flatMap((answer) => answer.data) };
    },
  });
}

/** A formula to pour for each bead, with the values of its variables. */
interface Plan {
  readonly formula: Formula;
  readonly values: Readonly<Record<string, string>>;
}

/** Cooked once now: what a formula lacks is told to who slings, not to the loop that pours it. */
function planOf(name: string | undefined, pairs: readonly string[], ports: LoopPorts): Plan | undefined {
  const refuse = (reason: string, message: string, hint: string): ApiStatusError =>
    new ApiStatusError(400, reason, `town sling: ${message}`, { hint });
  if (name === undefined) {
    if (pairs.length > 0) throw refuse("BadRequest", "--var is for the variables of a formula", "add --formula NAME");
    return undefined;
  }
  const formula = ports.formulas.get(name);
  if (formula === undefined)
    throw new ApiStatusError(404, "NotFound", `there is no formula ${name}`, { hint: "town get formulas" });
  const values: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw refuse("BadRequest", `--var ${pair} must be NAME=VALUE`, `--var ${pair}=…`);
    values[pair.slice(0, at)] = pair.slice(at + 1);
  }
  const { problems } = cook(formula, { values: { ...values, bead: "", title: "" } });
  // A value for no variable is a slip of the hand here, though a file may be used with it.
  const isWrong = ({ severity, reason, path }: FormulaProblem): boolean =>
    severity === "Error" || (reason === "VariableUnknown" && path.length === 0);
  const first = problems.find(isWrong);
  if (first !== undefined)
    throw refuse(first.reason, `formula ${name}: ${first.message}`, first.hint ?? `town formula show ${name}`);
  return { formula, values };
}

function targetOf(text: string, caller: Caller, ports: LoopPorts): Target {
  if (text === "hq" || ports.objects.get({ kind: "Rig", name: text }) !== undefined)
    return { kind: "Rig", namespace: text };
  const home = caller.session?.namespace;
  const pools = ports.objects
    .list("AgentPool")
    .filter(({ metadata }) => [metadata.name, `${metadata.namespace ?? "hq"}/${metadata.name}`].includes(text));
  const near = pools.filter(({ metadata }) => metadata.namespace === home);
  const [pool, ...more] = near.length > 0 ? near : pools;
  if (pool === undefined) return { kind: "Agent", agent: agentNamed(text, ports, home) };
  if (more.length > 0)
    throw new ApiStatusError(409, "Ambiguous", `several rigs have a pool ${text}`, {
      hint: `say which: ${[pool, ...more].map(({ metadata }) => `${metadata.namespace ?? "hq"}/${metadata.name}`).join(" or ")}`,
    });
  return { kind: "Pool", namespace: pool.metadata.namespace ?? "hq", pool: pool.metadata.name };
}

/** A bead made of a text: its first line is the title, the rest the description. */
function beadOf(text: string, caller: Caller): NewBead {
  const [title = "", ...rest] = text.trim().split("\n");
  const description = rest.join("\n").trim();
  return {
    title: title.trim(),
    ...(description === "" ? {} : { description }),
    ...(caller.email === undefined ? {} : { owner: caller.email }),
  };
}

/** Where new work goes: to the target's rig, else the caller's own, else the only one there is. */
function storeFor({ title }: NewBead, target: RigTarget | undefined, caller: Caller, ports: LoopPorts): WorkGraph {
  const rigs = ports.objects.list("Rig");
  const namespace =
    target?.namespace ?? caller.session?.namespace ?? (rigs.length === 1 ? rigs[0]?.metadata.name : undefined);
  if (namespace === undefined)
    throw new ApiStatusError(400, "BadRequest", "town sling: say which rig gets this new work", {
      hint: `town sling "${title.slice(0, 40)}" --to RIG`,
    });
  const graph = ports.graphs.graph(namespace);
  if (graph !== undefined) return graph;
  throw new ApiStatusError(503, "NotReady", `the work graph of ${namespace} is not open yet`, {
    hint: `town wait rig/${namespace} --for=condition=Ready, then again`,
  });
}

function storeOf(id: string, target: RigTarget | undefined, ports: LoopPorts): WorkGraph {
  const graph = ports.graphs.graphOf(id);
  if (graph === undefined) throw missingBead(id, ports);
  if (target !== undefined && target.namespace !== graph.namespace)
    throw new ApiStatusError(409, "OtherStore", `${id} belongs to ${graph.namespace}, not to ${target.namespace}`, {
      hint: `town sling ${id} --to ${graph.namespace}`,
    });
  return graph;
}

interface Slinging {
  readonly target: Target | undefined;
  readonly plan: Plan | undefined;
  readonly caller: Caller;
  readonly once: Once["whole"];
}

/** New work is made and slung in one transaction: there is no bead that nobody takes because something came in between. */
async function slingOne(
  bead: string | NewBead,
  { target, plan, caller, once }: Slinging,
  ports: LoopPorts,
): Promise<VerbResult> {
  if (target?.kind === "Agent") {
    const { formula, values } = plan ?? {};
    return await putOnHook({ agent: target.agent, bead, caller, formula, values, once }, ports);
  }
  const graph = typeof bead === "string" ? storeOf(bead, target, ports) : storeFor(bead, target, caller, ports);
  requireTaker(graph, target, ports);
  const sling: Sling = {
    ...(target?.kind === "Pool" ? { pool: target.pool } : {}),
    ...(plan === undefined
      ? {}
      : { formula: plan.formula.name, ...(Object.keys(plan.values).length === 0 ? {} : { values: plan.values }) }),
  };
  const who = target?.kind === "Pool" ? `pool ${target.pool}` : graph.namespace;
  const work = (tx: GraphTransaction): VerbResult => {
    const id = typeof bead === "string" ? bead : tx.create(bead).id;
    if (tx.get(id) === undefined) throw missingBead(id, ports);
    const open = workOf(tx, id).filter(
      ({ status, metadata }) => status !== "closed" && metadata?.[META.step] === undefined,
    );
    if (open.length === 0)
      throw new ApiStatusError(409, "NothingToSling", `${id} has no open work`, { hint: `bd show ${id}` });
    for (const each of open) markSlung(tx, each.id, sling);
    const lines = open.map((each) => {
      const blockers = tx.blockersOf(each.id).map((blocker) => blocker.id);
      return `${each.id} slung to ${who}${blockers.length === 0 ? "" : `; it waits for ${blockers.join(", ")}`}`;
    });
    return { text: lines.join("\n"), data: open.map((each) => ({ bead: each.id, to: who })) };
  };
  return await graph.transact(authorOf(caller), work, once);
}

/** Work that nobody would ever take is refused, with what is missing. */
function requireTaker(graph: WorkGraph, target: RigTarget | undefined, ports: LoopPorts): void {
  const pools = ports.objects.list("AgentPool", { namespace: graph.namespace }).filter((pool) => {
    const role = ports.objects.get({ kind: "Role", name: String(pool.spec["role"]) });
    return role?.spec["lifecycle"] === "Ephemeral" && (target?.kind !== "Pool" || pool.metadata.name === target.pool);
  });
  if (pools.length > 0) return;
  throw new ApiStatusError(
    409,
    "NoPool",
    target?.kind === "Pool"
      ? `agents of pool ${target.pool} take work one by one, by name`
      : `${graph.namespace} has no pool of workers that take work`,
    { hint: `town get agentpools -n ${graph.namespace}; one agent: town sling BEAD --to AGENT` },
  );
}
