import { z } from "zod";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { RigSpec } from "../kinds/rig/rig.schema.ts";
import type { Repository } from "../ports/git.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { attemptsOf, dropMolecule } from "../work/hooking.ts";
import { endEscalationsAbout } from "../work/escalation.ts";
import { giveToPerson } from "../work/exhausted.ts";
import { endAttempt } from "../work/ledger.ts";
import { OVERSEER, sendMessage } from "../work/mailbox.ts";
import { agentRecord, hookOf } from "../work/agent-record.ts";
import { QUESTION, type Question, questionOf } from "../work/question.ts";
import { endMolecule, heldBy } from "../work/molecule.ts";
import { pinRef, sandboxFact } from "../work/sandbox-fact.ts";
import { submit } from "../work/submission.ts";
import { afterWork, type AgentSession, checkFence, hookedBead, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { missingBead } from "./missing-bead.ts";
import { townGraph } from "./recipient.ts";
import { type Once, repeatable } from "./repeatable.ts";
import { beadForOwnWork } from "./own-work.ts";
import { committedHead, unsubmitted } from "./done-head.ts";

const doneArguments = z.strictObject({
  outcome: z.enum(["Submitted", "NoChange", "Blocked", "Failed", "Question"]).default("Submitted"),
  reason: z.string().max(10_000).optional(),
  /** Bead that this one waits for, with outcome Blocked. */
  on: z.string().optional(),
  commitAll: z.boolean().default(false),
});

type Arguments = z.infer<typeof doneArguments>;

/**
 * `town done`: how the work on the hook ended. Submitted pins the head, queues the merge request and releases the agent
 * before it answers.
 */
export function doneVerb(ports: LoopPorts): Verb {
  return repeatable(ports, {
    name: "done",
    summary: "say how the work on the hook ended (for agent sessions)",
    needs: "agent",
    async run({ caller, args }, { whole: once }) {
      const options = argumentsOf("done", doneArguments, args);
      const session = sessionOf("done", caller, ports);
      if (options.outcome !== "Submitted" && options.outcome !== "NoChange" && options.reason === undefined) {
        throw new ApiStatusError(
          400,
          "BadRequest",
          `town done: --reason is required with --outcome ${options.outcome}`,
          { hint: `town done --outcome ${options.outcome} --reason "…"` },
        );
      }
      if (options.outcome !== "Submitted") return ended(session, hookedBead("done", session), { options, once }, ports);
      const bead = hookOf(session.graph, session.identity) ?? (await beadForOwnWork(session, options.reason, ports));
      return submitted(session, bead, { options, once }, ports);
    },
  });
}

interface Ending {
  readonly options: Arguments;
  /** Name of the transaction that ends the work, whose answer is the verb's. */
  readonly once: Once["whole"];
}

async function submitted(
  session: AgentSession,
  bead: BeadRecord,
  { options, once }: Ending,
  ports: LoopPorts,
): Promise<VerbResult> {
  const repository = await repositoryOf(session, ports);
  const head = await committedHead(session, bead, repository, options.commitAll, ports);
  const fact = sandboxFact(bead);
  if (head === fact?.base)
    throw new ApiStatusError(
      409,
      "NothingToSubmit",
      `${bead.id}: no commit since ${head.slice(0, 12)}, so there is nothing to merge`,
      { hint: 'commit your change, or: town done --outcome NoChange --reason "…"' },
    );
  await repository.updateRefs([{ ref: pinRef(bead.id, head), to: head }], `town: submitted by ${session.identity}`);
  const target = await targetBranch(session, repository, ports);
  const work = (tx: GraphTransaction): SubmitResult => {
    checkFence(tx, session.name, session.generation);
    requireNotHeld(hookedBead("done", session, tx), tx);
    const { id } = submit(tx, { bead: bead.id, head, target, author: session.identity });
    return {
      text: `${bead.id} submitted: ${head.slice(0, 12)} waits as ${id} to be merged to ${target}. ${afterWork(session.role)}`,
      data: { bead: bead.id, mergeRequest: id, head },
    };
  };
  const result = await session.graph.transact(session.author, work, once);
  ports.events.record(
    { kind: "Bead", namespace: session.namespace, name: bead.id },
    {
      type: "Normal",
      reason: "Submitted",
      message: `${session.identity} submitted ${head.slice(0, 12)} as ${result.data.mergeRequest}`,
      actor: session.identity,
    },
  );
  return result;
}

type SubmitResult = VerbResult & {
  readonly data: { readonly bead: string; readonly mergeRequest: string; readonly head: string };
};

/** A gate that is not open is somebody's say in the matter: handing in would go past it. */
function requireNotHeld(bead: BeadRecord, graph: GraphReader): void {
  const molecule = bead.metadata?.[META.molecule];
  const [gate] = typeof molecule === "string" ? heldBy(graph, molecule) : [];
  if (gate === undefined) return;
  throw new ApiStatusError(409, "StepsWait", `${bead.id}: steps of it wait for ${gate.id} (${gate.title})`, {
    hint: `town done --outcome Blocked --on ${gate.id} --reason "waits for it"`,
  });
}

async function repositoryOf(session: AgentSession, ports: LoopPorts): Promise<Repository> {
  const path = session.namespace === "hq" ? ports.layout.root : ports.layout.clone(session.namespace);
  const repository = await ports.git.open(path);
  if (repository === undefined)
    throw new ApiStatusError(503, "ServiceUnavailable", `the clone of ${session.namespace} is not there; try again`, {
      hint: `town describe rig ${session.namespace} says why; then: town done`,
    });
  return repository;
}

async function targetBranch(session: AgentSession, repository: Repository, ports: LoopPorts): Promise<string> {
  const rig = ports.objects.get({ kind: "Rig", name: session.namespace }) as TownObject<RigSpec> | undefined;
  return rig?.spec.branch ?? (await repository.defaultBranch()) ?? "main";
}

/**
 * Asks the person, and the mayor where there is one, before the hook says that it was asked: asking again is the same until
 * it is answered, also for a session that takes over; after that the same words are another question.
 */
async function ask(session: AgentSession, bead: BeadRecord, text: string, ports: LoopPorts): Promise<void> {
  if (questionOf(bead)?.text === text) return;
  const town = townGraph(ports);
  const asked = (bead.comments ?? []).filter(
    ({ author, text: said }) => author === session.identity && said.startsWith(ASKED),
  ).length;
  await town.transact(session.author, (tx) => {
    const readers = [OVERSEER, ...(agentRecord(tx, MAYOR) === undefined ? [] : [MAYOR])];
    for (const to of readers.filter((reader) => reader !== session.identity))
      sendMessage(tx, {
        to,
        from: session.identity,
        subject: `Question about ${bead.id}: ${bead.title}`,
        text,
        durable: true,
        urgent: true,
        key: `question/${bead.id}/${asked}/${text.slice(0, 100)}/${to}`,
      });
  });
}

const MAYOR = "mayor";
/** How the comment begins that a question leaves on its bead. */
const ASKED = "Question: ";

async function ended(
  session: AgentSession,
  bead: BeadRecord,
  { options, once }: Ending,
  ports: LoopPorts,
): Promise<VerbResult> {
  if (options.outcome === "NoChange") await refuseUnsubmitted(session, bead, ports);
  if (options.outcome === "Blocked") checkBlocker(bead, options.on, ports);
  const reason = options.reason ?? "nothing had to change";
  if (options.outcome === "Question") await ask(session, bead, reason, ports);
  const next = options.outcome === "Question" ? "Wait for the answer." : afterWork(session.role);
  const work = (tx: GraphTransaction): VerbResult => {
    checkFence(tx, session.name, session.generation);
    endWork(tx, hookedBead("done", session, tx), { session, options, reason });
    return { text: `${bead.id}: ${options.outcome}. ${next}`, data: { bead: bead.id, outcome: options.outcome } };
  };
  return session.graph.transact(session.author, work, once);
}

function endWork(
  tx: GraphTransaction,
  held: BeadRecord,
  {
    session,
    options,
    reason,
  }: { readonly session: AgentSession; readonly options: Arguments; readonly reason: string },
): void {
  switch (options.outcome) {
    case "NoChange": {
      const molecule = held.metadata?.[META.molecule];
      if (typeof molecule === "string") endMolecule(tx, molecule, "NoChange");
      endAttempt(tx, held.id, "NoChange");
      tx.release(held.id, { reason });
      tx.close(held.id, { reason: `NoChange: ${reason}`, force: true });
      endEscalationsAbout(tx, held.id, `${held.id} needs no change`);
      return;
    }
    case "Blocked":
      tx.comment(held.id, `Blocked: ${reason}`);
      tx.addDependency(held.id, options.on ?? "", "blocks");
      endAttempt(tx, held.id, "Blocked");
      tx.release(held.id, { reason });
      return;
    case "Failed":
      dropMolecule(tx, held, "Failed");
      tx.setMetadata(held.id, {
        [META.attempts]: attemptsOf(held) + 1,
        [META.feedback]: `The last attempt ended as Failed: ${reason}`,
      });
      tx.comment(held.id, `Failed: ${reason}`);
      endAttempt(tx, held.id, "Failed");
      tx.release(held.id, { reason });
      if (attemptsOf(held) + 1 >= MAX_FAILURES) {
        const how = `failed ${attemptsOf(held) + 1} times`;
        giveToPerson(tx, held, { how, last: reason, agent: session.identity });
      }
      return;
    default:
      if (questionOf(held)?.text === reason) return;
      tx.comment(held.id, `${ASKED}${reason}`);
      tx.setMetadata(held.id, {
        [QUESTION]: { text: reason, at: new Date(tx.now).toISOString() } satisfies Question,
      });
  }
}

/** A bead that failed this often is blocked for a person instead of being tried again. */
const MAX_FAILURES = 5;

/** NoChange says that nothing is to be merged; commits and open files would be forgotten by it. */
async function refuseUnsubmitted(session: AgentSession, bead: BeadRecord, ports: LoopPorts): Promise<void> {
  const left = await unsubmitted(session, bead, await repositoryOf(session, ports), ports);
  if (left === undefined) return;
  throw new ApiStatusError(409, "UnsubmittedWork", `${bead.id} is not unchanged: ${left}`, {
    hint: `hand them in: town done; or put them away: git stash -u && git reset --hard ${sandboxFact(bead)?.base.slice(0, 12) ?? "HEAD"}`,
  });
}

function checkBlocker(bead: BeadRecord, on: string | undefined, ports: LoopPorts): void {
  const blocker = on === undefined ? undefined : ports.graphs.graphOf(on)?.get(on);
  if (on !== undefined && blocker === undefined && ports.graphs.isAway(on)) throw missingBead(on, ports);
  const usage = { hint: `town done --outcome Blocked --on ID --reason "…"; bd list shows the ids` };
  if (blocker === undefined)
    throw new ApiStatusError(
      on === undefined ? 400 : 404,
      on === undefined ? "BadRequest" : "NotFound",
      on === undefined
        ? `town done: --on must name the bead that ${bead.id} waits for`
        : `no issue found matching ${on}`,
      usage,
    );
  if (blocker.id === bead.id) throw new ApiStatusError(400, "BadRequest", `${bead.id} cannot wait for itself`, usage);
  if (blocker.status === "closed")
    throw new ApiStatusError(409, "NotBlocking", `${blocker.id} is closed already: ${blocker.title}`, {
      hint: 'go on, or: town done --outcome Question --reason "…"',
    });
}
