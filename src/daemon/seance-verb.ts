import { z } from "zod";
import { transcriptText } from "../domain/agent-program/transcript-text.ts";
import { ApiStatusError, messageOf } from "../errors/town-error.ts";
import { resolveEnvironment } from "../work/session-environment.ts";
import { agentSessionName } from "../kinds/agent/agent.observe.ts";
import type { ProviderSpec } from "../kinds/provider/provider.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { argumentsOf } from "../verbs/arguments.ts";
import { type AddressedAgent, agentNamed } from "../work/agent-address.ts";
import { AGENT, agentRecord, generationOf } from "../work/agent-record.ts";
import { type Conversation, conversationsOf } from "../work/conversation.ts";
import { keptTranscript } from "../work/kept-transcript.ts";
import { filled } from "../work/launch.ts";
import { metaText } from "../work/record-fields.ts";
import { plainLine } from "./session-logs.ts";

const seanceArguments = z.strictObject({
  agent: z.string().min(1),
  session: z.string().min(1).optional(),
  prompt: z.string().min(1).max(20_000).optional(),
});

export interface SeanceParts {
  readonly ports: LoopPorts;
  /** What programs inherit: where the home directory is, and the language. */
  readonly environment: Readonly<Record<string, string>>;
  /** Removes a directory that is empty; another one stays. */
  readonly removeEmptyDirectory: (path: string) => Promise<void>;
  /** Where the output of a session is kept. */
  readonly logPath: (runtimeName: string, generation: number) => string;
}

const TURN_TIMEOUT_MS = 300_000;
const TAIL_BYTES = 256 * 1024;
const SHOWN_CHARACTERS = 16_000;
/** Generations that are looked through for kept output. */
const LOOKED_BACK = 20;

/**
 * `town seance AGENT [-p QUESTION]`: asks a copy of a former conversation, which stays as it is, or where the program
 * cannot do that, shows what was said. Without a question: the conversations there are. Also of agents that are no more.
 */
export function seanceVerb(parts: SeanceParts): Verb {
  return {
    name: "seance",
    summary: "ask a former session of an agent",
    needs: "agent",
    async run({ caller, args, signal }) {
      const options = argumentsOf("seance", seanceArguments, args);
      const agent = agentNamed(options.agent, parts.ports, caller.session?.namespace);
      const conversations = conversationsOf(agentRecord(agent.graph, agent.name) ?? agent.record);
      if (options.prompt === undefined) return listOf(agent, conversations);
      const conversation = chosen(agent, conversations, options.session);
      if (conversation === undefined) return await keptOutput(agent, parts);
      const asked = await ask(agent, conversation, { question: options.prompt, signal }, parts);
      if ("answer" in asked)
        return {
          text: asked.answer,
          data: { agent: agent.identity, session: conversation.session, from: "Fork", answer: asked.answer },
        };
      return await transcript(agent, conversation, asked.why, parts);
    },
  };
}

function listOf(agent: AddressedAgent, conversations: readonly Conversation[]): VerbResult {
  const rows = [
    ["SESSION", "PROVIDER", "GEN", "BEAD", "STARTED", "ENDED"],
    ...conversations.map((each) => [
      each.session,
      each.provider,
      String(each.generation),
      each.bead ?? "<none>",
      each.startedAt,
      each.ended ?? "<none>",
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd(),
  );
  return {
    text:
      conversations.length === 0
        ? `no conversation of ${agent.identity} is known; its program tells none. Its output: town logs agent/${agent.name} -n ${agent.namespace}`
        : lines.join("\n"),
    data: { agent: agent.identity, sessions: conversations },
  };
}

function chosen(
  agent: AddressedAgent,
  conversations: readonly Conversation[],
  wanted: string | undefined,
): Conversation | undefined {
  if (wanted === undefined) return conversations[0];
  const found = conversations.filter(({ session }) => session.startsWith(wanted));
  const [first, second] = found;
  if (first === undefined || second !== undefined)
    throw new ApiStatusError(
      first === undefined ? 404 : 409,
      first === undefined ? "NotFound" : "Ambiguous",
      first === undefined
        ? `${agent.identity} has no session ${wanted}`
        : `several sessions of ${agent.identity} begin with ${wanted}`,
      { hint: `town seance ${agent.identity}` },
    );
  return first;
}

/** One turn of a copy of the conversation. The copy has no token: it can say what it knows and change nothing here. */
async function ask(
  agent: AddressedAgent,
  conversation: Conversation,
  of: { readonly question: string; readonly signal: AbortSignal },
  { ports, environment, removeEmptyDirectory }: SeanceParts,
): Promise<{ readonly answer: string } | { readonly why: string }> {
  const provider = ports.objects.get({ kind: "Provider", name: conversation.provider }) as
    | TownObject<ProviderSpec>
    | undefined;
  if (provider === undefined) return { why: `there is no Provider '${conversation.provider}' any more` };
  const { command, headless } = provider.spec;
  if (headless?.forkArgs === undefined)
    return { why: `Provider '${conversation.provider}' cannot ask a copy of a session (spec.headless.forkArgs)` };
  // Some programs know a conversation only where it was held: a sandbox that is gone is an empty directory meanwhile.
  const { directory } = conversation;
  const isGone = (await ports.files.stat(directory)) === undefined;
  if (isGone) await ports.files.makeDirectory(directory);
  const values = { session: conversation.session, prompt: of.question };
  const [program = "", ...args] = [...command, ...headless.forkArgs].map((word) => filled(word, values));
  try {
    const result = await ports.processes.run(program, args, {
      cwd: directory,
      env: {
        ...environment,
        ...(await resolveEnvironment([...environmentLists(agent, ports), provider.spec.env], ports)),
        PATH: ports.sessionPath,
        TOWN_SOCKET: ports.layout.socket,
        TOWN_TOKEN_FILE: "/dev/null",
        TOWN_AGENT: agent.identity,
      },
      timeoutMs: TURN_TIMEOUT_MS,
      signal: of.signal,
      input: "",
    });
    const answer = plainText(result.output).trim();
    if (result.exitCode === 0 && answer !== "") return { answer };
    const how = result.timedOut
      ? `did not answer within ${TURN_TIMEOUT_MS / 1000} s`
      : `ended with ${result.exitCode ?? result.signal ?? "no exit code"}`;
    const last = answer.split("\n").at(-1) ?? "";
    return { why: `${conversation.provider} ${how}${last === "" ? "" : `: ${last.slice(0, 200)}`}` };
  } catch (error) {
    return { why: messageOf(error) };
  } finally {
    if (isGone) await removeEmptyDirectory(directory);
  }
}

type Lists = Parameters<typeof resolveEnvironment>[0];

function environmentLists(agent: AddressedAgent, { objects }: LoopPorts): Lists {
  const pool = metaText(agent.record, AGENT.pool) ?? "";
  return [
    objects.get({ kind: "Town", name: "hq" }),
    objects.get({ kind: "Rig", name: agent.namespace }),
    objects.get({ kind: "AgentPool", namespace: agent.namespace, name: pool }),
  ].map((object) => object?.spec["env"] as Lists[number]);
}

async function transcript(
  agent: AddressedAgent,
  conversation: Conversation,
  why: string,
  parts: SeanceParts,
): Promise<VerbResult> {
  const { namespace, name } = agent;
  const kept = keptTranscript({ namespace, agent: name, session: conversation.session }, parts.ports);
  let path: string | undefined;
  let tail: string | undefined;
  // What the program has itself, else the copy that was made when its sandbox went.
  for (const candidate of [conversation.transcript, kept]) {
    if (candidate === undefined || tail !== undefined) continue;
    path = candidate;
    tail = await tailOf(candidate, parts.ports);
  }
  const text = tail === undefined ? "" : plainText(transcriptText(tail)).slice(-SHOWN_CHARACTERS);
  if (text.trim() === "") return await keptOutput(agent, parts, why);
  return {
    text: `The end of the conversation ${conversation.session} (it was not asked: ${why}):\n\n${text}`,
    data: { agent: agent.identity, session: conversation.session, from: "Transcript", path, why, transcript: text },
  };
}

/** The output that the runtime kept of the newest session that has any. */
async function keptOutput(agent: AddressedAgent, parts: SeanceParts, why?: string): Promise<VerbResult> {
  const record = agentRecord(agent.graph, agent.name) ?? agent.record;
  const role = metaText(record, AGENT.role) ?? "";
  const runtimeName = agentSessionName(agent.namespace, { role }, agent.name);
  const newest = generationOf(record);
  for (let generation = newest; generation > Math.max(0, newest - LOOKED_BACK); generation -= 1) {
    const text = await tailOf(parts.logPath(runtimeName, generation), parts.ports);
    const shown = text === undefined ? "" : plainText(text).trim().slice(-SHOWN_CHARACTERS);
    if (shown === "") continue;
    const reason = why ?? "its program tells no conversation";
    return {
      text: `The last output of generation ${generation} (it was not asked: ${reason}):\n\n${shown}`,
      data: { agent: agent.identity, generation, from: "Output", why: reason, transcript: shown },
    };
  }
  throw new ApiStatusError(
    404,
    "NothingKept",
    `nothing is kept of a session of ${agent.identity}${why === undefined ? "" : `: ${why}`}`,
    {
      hint: `town agent cv ${agent.identity}`,
    },
  );
}

async function tailOf(path: string, ports: LoopPorts): Promise<string | undefined> {
  const size = (await ports.files.stat(path))?.size;
  if (size === undefined) return undefined;
  const bytes = await ports.files.readFrom(path, Math.max(0, size - TAIL_BYTES));
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

function plainText(text: string): string {
  return text
    .split(/\r\n?|\n/)
    .map(plainLine)
    .join("\n");
}
