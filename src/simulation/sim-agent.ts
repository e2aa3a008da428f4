import { ApiStatusError } from "../errors/town-error.ts";
import type { Caller } from "../resource/caller.ts";
import type { VerbResult } from "../resource/verb.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { MemoryGit } from "./memory-git.ts";
import type { MemoryProgram } from "./memory-sessions.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** How a simulated agent reaches the town: undefined while no controller is up. */
export type CallVerb = (
  caller: Caller,
  name: string,
  args: Readonly<Record<string, unknown>>,
) => Promise<VerbResult> | undefined;

export interface WorkDone {
  readonly namespace: string;
  readonly agent: string;
  readonly generation: number;
  readonly bead: string;
  readonly step: string;
}

/** A message that a session was handed. */
export interface Handed {
  readonly agent: string;
  readonly generation: number;
  readonly subject: string;
  readonly seq: number;
  readonly again: boolean;
}

/** Where a program's hook is killed: between the town's answer and its output, or between that and the receipt. */
export type HookDeath = "BeforeOutput" | "BeforeReceipt";

/**
 * How a session goes wrong: `Ignore` sits at its prompt whatever is typed; `Deaf` acts only when its doorbell rings;
 * `SlowStart` reads nothing for a while; `Hang` shows that it is busy and never is; `Stall` stops in the midst of its work
 * until its doorbell rings.
 */
export type SimMisbehaviour = "None" | "Ignore" | "Deaf" | "SlowStart" | "Hang" | "Stall";

interface PrimeData {
  readonly messages: readonly Omit<Handed, "agent" | "generation">[];
  readonly hook: {
    readonly bead: { readonly id: string; readonly title: string; readonly description: string };
    readonly attempt: number;
    readonly step?: { readonly id: string; readonly name: string };
  } | null;
  readonly exit?: boolean;
}

const RETRY_MS = 500;
const IDLE_MS = 5_000;
const FOR_EVER_MS = 24 * 3_600_000;

/**
 * The shell agent's behaviour under the virtual clock: prime, do the step, close it, in the end done. A bead's description
 * is a list of `write PATH TEXT` lines; with `first:` in front a line counts in the first attempt only.
 */
export function simAgent(world: {
  readonly clock: Clock;
  readonly git: MemoryGit;
  readonly call: CallVerb;
  readonly random: SeededRandom;
  readonly worked: (work: WorkDone) => void;
  readonly committed: (commit: string) => void;
  readonly handed: (message: Handed) => void;
  /** A session has said that it was shown these. */
  readonly receipted: (messages: readonly Handed[]) => void;
  /** Whether the hook that reads for the program is killed now. */
  readonly hookDies: () => HookDeath | undefined;
  /** How the next session behaves. */
  readonly misbehaviour: () => SimMisbehaviour;
  /** Whether its context is full now, at the end of a step. */
  readonly handsOff: () => boolean;
  /** Where programs keep their records. */
  readonly files: Files;
  /** What the model's maker answers while its limit is reached. */
  readonly limit: () => string | undefined;
  readonly used: (agent: string, outputTokens: number) => void;
}): MemoryProgram {
  return async ({ start, signal, setTitle, readLine, print }) => {
    const misbehaviour = world.misbehaviour();
    let requests = 0;
    let reading: Promise<unknown> | undefined;
    const line = (): Promise<unknown> => (reading ??= readLine().finally(() => (reading = undefined)));
    const rung = async (): Promise<void> => {
      setTitle("shell-agent idle");
      await line();
    };
    const gone = ended(signal);
    const atLimit = async (): Promise<void> => {
      for (let told = world.limit(); told !== undefined && !signal.aborted; told = world.limit()) {
        setTitle("shell-agent idle");
        print(`${told}\n`);
        print(`> ${String(await Promise.race([line(), gone]))}\n`);
      }
    };
    const beforeReading: Partial<Record<SimMisbehaviour, () => Promise<void>>> = {
      SlowStart: () => world.clock.sleep(1 + world.random.below(200_000), signal),
      Deaf: rung,
      Ignore: async () => {
        while (!signal.aborted) await rung();
      },
    };
    const beforeWorking: typeof beforeReading = { Hang: () => gone, Stall: rung };
    const caller: Caller = {
      name: start.env["TOWN_AGENT"] ?? "",
      role: "agent",
      session: { namespace: start.namespace, agent: start.agent, generation: start.generation },
    };
    const say = async (name: string, args: Readonly<Record<string, unknown>>): Promise<VerbResult | "Over"> => {
      for (;;) {
        if (signal.aborted) return "Over";
        try {
          // A controller that is killed never answers: ask the next one.
          const answer = world.call(caller, name, args);
          const result =
            answer === undefined
              ? undefined
              : await Promise.race([answer, world.clock.sleep(RETRY_MS * 20).then(() => undefined)]);
          if (result !== undefined) return signal.aborted ? "Over" : result;
        } catch (error) {
          if (error instanceof ApiStatusError && (error.code === 409 || error.code === 403))
            return error.reason === "NothingOnHook" ? { text: "" } : "Over";
          if (!(error instanceof ApiStatusError) || error.code !== 503) throw error;
        }
        await world.clock.sleep(RETRY_MS, signal);
      }
    };
    /** Whoever does not hear the answer asks again as the same one. */
    const sayOnce = (name: string, args: Readonly<Record<string, unknown>>): Promise<VerbResult | "Over"> => {
      requests += 1;
      return say(name, { ...args, request: `request-${requests}` });
    };
    const report = async (step: { readonly id: string; readonly name: string } | undefined): Promise<unknown> => {
      if (world.handsOff()) {
        await sayOnce("handoff", { note: `at ${step?.name ?? "the work"}` });
        // As real programs do, it sits there until it is ended.
        await world.clock.sleep(FOR_EVER_MS, signal);
        return "Over";
      }
      return step === undefined || step.name === "submit"
        ? await sayOnce("done", { outcome: "Submitted", commitAll: true })
        : await sayOnce("close", { id: step.id, continue: true });
    };
    const record = programRecord(world.files, `${start.agent}-${start.generation}`);
    /** One call of the program's hooks: at its start, or when a line was typed. */
    const hears = async <T extends Pick<PrimeData, "messages">>(verb: string): Promise<T | "Over" | "HookKilled"> => {
      requests += 1;
      const primed = await say(verb, { hook: record.hook, request: `request-${requests}` });
      if (primed === "Over") return "Over";
      const death = world.hookDies();
      if (death === "BeforeOutput") return "HookKilled";
      const data = primed.data as T;
      const handed = data.messages.map((message) => ({ agent: caller.name, generation: start.generation, ...message }));
      for (const message of handed) world.handed(message);
      if (death !== undefined || primed.receipt === undefined) return data;
      if ((await say("receipt", primed.receipt)) === "Over") return "Over";
      world.receipted(handed);
      return data;
    };
    setTitle("shell-agent idle");
    await beforeReading[misbehaviour]?.();
    while (!signal.aborted) {
      const primed = await hears<PrimeData>("prime");
      if (primed === "Over") return 0;
      if (primed === "HookKilled") continue;
      const { hook, exit } = primed;
      if (hook === null) {
        if (exit === true) return 0;
        setTitle("shell-agent idle");
        const typed = await Promise.race([
          line().then(() => true),
          world.clock.sleep(IDLE_MS, signal).then(() => false),
        ]);
        if (typed && (await hears("nudge drain")) === "Over") return 0;
        continue;
      }
      await atLimit();
      setTitle(`shell-agent busy ${hook.bead.id}`);
      await beforeWorking[misbehaviour]?.();
      setTitle(`shell-agent busy ${hook.bead.id}`);
      await world.clock.sleep(100 + world.random.below(2_000), signal);
      if (signal.aborted) return 0;
      const step = hook.step;
      if (step !== undefined)
        world.worked({
          namespace: start.namespace,
          agent: start.agent,
          generation: start.generation,
          bead: hook.bead.id,
          step: step.name,
        });
      if (step?.name === "implement") {
        const commit = await edit(world.git, start.cwd, hook, start.env["TOWN_AGENT"] ?? "");
        if (commit !== undefined) world.committed(commit);
      }
      if (signal.aborted) return 0;
      const answer = await report(step);
      if (signal.aborted) return 0;
      world.used(start.agent, await record.use(1 + world.random.below(1_000)));
      if (answer === "Over") return 0;
    }
    return 0;
  };
}

/** The file in which a program keeps its conversation, in the form of Codex: sums of the tokens so far. */
function programRecord(
  files: Files,
  session: string,
): {
  readonly hook: { readonly session_id: string; readonly transcript_path: string };
  use(tokens: number): Promise<number>;
} {
  const path = `/home/records/${session}.jsonl`;
  let text = "";
  let total = 0;
  return {
    hook: { session_id: session, transcript_path: path },
    async use(tokens) {
      total += tokens;
      const payload = { type: "token_count", info: { total_token_usage: { output_tokens: total } } };
      text += `${JSON.stringify({ type: "event_msg", payload })}\n`;
      await files.makeDirectory("/home/records");
      await files.writeAtomic(path, text);
      return tokens;
    },
  };
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

async function edit(
  git: MemoryGit,
  cwd: string,
  hook: NonNullable<PrimeData["hook"]>,
  identity: string,
): Promise<string | undefined> {
  for (const line of hook.bead.description.split("\n")) {
    const [, first, path, text] = /^(first: )?write (\S+) (.*)$/.exec(line) ?? [];
    if (path === undefined || text === undefined || (first !== undefined && hook.attempt > 1)) continue;
    await git.writeFile(cwd, path, `${text}\n`);
  }
  const author = { name: identity, email: "owner@example.org" };
  return git.commit(cwd, `${hook.bead.title}\n\nTown-Bead: ${hook.bead.id}\n`, author);
}
