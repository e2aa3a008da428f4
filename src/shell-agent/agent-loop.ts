import { messageOf, TownError } from "../errors/town-error.ts";
import { type Decision, decide, outcomeOf } from "./decide.ts";
import { type Misbehaviour, misbehaviourAt, type MisbehaviourKind } from "./misbehaviour.ts";
import { type Message, primeOf } from "./prime.ts";
import { misbehaviourKey, resumptionOf, type StepNote } from "./step-note.ts";

/** Exit codes: 0 nothing (more) to do, 1 the town refuses what should work, 3 this session is void. */
export type ExitCode = 0 | 1 | 3;

/** What the loop does to the world. */
export interface AgentEffects {
  /** What is to be done, as data; `shown` says that it was read and shown. */
  prime(): Promise<{ readonly data: unknown; shown(): Promise<void> }>;
  /** Data of a verb's answer; waits while the town is away. Throws RefusedError-like errors with `final`. */
  verb(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
  head(): Promise<string>;
  commitAll(message: string): Promise<boolean>;
  backTo(head: string): Promise<void>;
  readNote(): Promise<StepNote>;
  writeNote(note: StepNote): Promise<void>;
  /** Runs one script with these variables and this feedback; returns how it ended. */
  run(script: string, about: ScriptContext): Promise<{ readonly exitCode: number; readonly tail: string }>;
  say(text: string): void;
  /** Shows the prompt of an idle program, unless it is the last thing shown. */
  prompt(): void;
  title(state: string): void;
  forgetLines(): void;
  line(ms?: number): Promise<string | undefined>;
  sleep(ms: number): Promise<void>;
  /** Ends the program as a crash would. */
  die(): Promise<never>;
}

export interface ScriptContext {
  readonly variables: Readonly<Record<string, string>>;
  readonly feedback: string;
}

type Work = Extract<Decision, { readonly do: "Work" }>;

const MOST_REFUSALS = 5;
const LONGEST_IDLE_MS = 30_000;
/** `done` takes a reason of up to 10,000 characters. */
const REASON_CHARACTERS = 8_000;

/**
 * The agent: reads its hook, does the step, reports, and reads again, so that a crash anywhere goes on at the recorded
 * step. Resolves with the exit code.
 */
export class AgentLoop {
  readonly #effects: AgentEffects;
  readonly #identity: string;
  readonly #misbehaviours: readonly Misbehaviour[];
  #lastBead = "";
  #idleMs = 1_000;

  constructor(identity: string, misbehaviours: readonly Misbehaviour[], effects: AgentEffects) {
    this.#identity = identity;
    this.#misbehaviours = misbehaviours;
    this.#effects = effects;
  }

  async run(): Promise<ExitCode> {
    if (await this.#misbehaves("ignore-hook", { step: "", attempt: 1, bead: "" })) return this.#ignore();
    for (let refusals = 0; ; ) {
      try {
        const primed = await this.#effects.prime();
        const prime = primeOf(primed.data);
        for (const message of prime.messages) this.#show(message);
        await primed.shown();
        const code = await this.#follow(decide(prime));
        if (code !== undefined) return code;
        refusals = 0;
      } catch (error) {
        if (isFinal(error)) {
          this.#effects.say(`shell-agent: this session may do nothing more: ${messageOf(error)}`);
          return 3;
        }
        this.#effects.say(`shell-agent: ${messageOf(error)}`);
        refusals += 1;
        if (refusals >= MOST_REFUSALS) return 1;
        await this.#effects.sleep(500 * 2 ** refusals);
      }
    }
  }

  #show({ from, subject, text, again }: Message): void {
    this.#effects.say(`shell-agent: message from ${from}${again ? " (again)" : ""}: ${subject}`);
    if (text !== "") this.#effects.say(text);
  }

  async #follow(decision: Decision): Promise<ExitCode | undefined> {
    switch (decision.do) {
      case "Exit":
        if (await this.#misbehaves("finish-without-exit", { step: "", attempt: 1, bead: this.#lastBead }))
          return this.#ignore();
        this.#effects.say("shell-agent: nothing on my hook; done");
        return 0;
      case "Idle":
        return this.#idle();
      case "Work":
        this.#idleMs = 1_000;
        await this.#work(decision);
        return undefined;
      default:
        return decision satisfies never;
    }
  }

  /** Waits for a line or a while, longer each time nothing came of it. */
  async #idle(): Promise<ExitCode | undefined> {
    const effects = this.#effects;
    effects.title("idle");
    effects.prompt();
    const typed = await effects.line(this.#idleMs);
    if (typed?.trim() === "exit") return 0;
    this.#idleMs = typed === undefined ? Math.min(this.#idleMs * 2, LONGEST_IDLE_MS) : 1_000;
    return undefined;
  }

  async #work(work: Work): Promise<void> {
    const effects = this.#effects;
    const { hook, step } = work;
    const at = { bead: hook.bead.id, attempt: hook.attempt, step };
    this.#lastBead = hook.bead.id;
    effects.title(`busy ${hook.bead.id} ${step}`);
    effects.say(`shell-agent: ${hook.bead.id} (${hook.bead.title}), attempt ${hook.attempt}, step ${step}`);
    if (await this.#misbehaves("die-before", at)) await effects.die();
    if (await this.#misbehaves("hang", at)) await new Promise<never>(() => {});
    if (await this.#misbehaves("wait-for-input", at)) await this.#ask();
    const failure = work.refusal ?? (await this.#runStep(work));
    effects.forgetLines();
    if (failure !== undefined) {
      await effects.verb("done", { outcome: "Failed", reason: `step ${step}: ${failure}`.slice(0, REASON_CHARACTERS) });
      effects.say(`shell-agent: reported as failed: ${failure.split("\n")[0]}`);
      return;
    }
    if (await this.#misbehaves("die-after", at)) await effects.die();
    await this.#report(work);
  }

  /** Runs a step's scripts and commits what they changed; returns why it failed. */
  async #runStep(work: Work): Promise<string | undefined> {
    const effects = this.#effects;
    try {
      const { hook, step, scripts } = work;
      const at = { bead: hook.bead.id, attempt: hook.attempt, step, head: await effects.head() };
      const note = await effects.readNote();
      const resumption = resumptionOf(note, at);
      if (resumption.do === "Report") return undefined;
      if (resumption.do === "Redo") {
        effects.say(`shell-agent: step ${step} was cut off; doing it again from ${resumption.from.slice(0, 12)}`);
        await effects.backTo(resumption.from);
      }
      await effects.writeNote({ ...note, progress: { ...at, state: "Started", head: await effects.head() } });
      for (const [index, script] of scripts.entries()) {
        effects.say(`── ${step}: block ${index + 1} of ${scripts.length}`);
        const { exitCode, tail } = await effects.run(script, contextOf(work));
        if (exitCode !== 0)
          return `block ${index + 1} of ${scripts.length} ended with exit code ${exitCode}; its last output:\n${tail.trimEnd()}`;
      }
      const message = `${hook.bead.title || hook.bead.id}\n\nTown-Bead: ${hook.bead.id}\nTown-Agent: ${this.#identity}\n`;
      if (await effects.commitAll(message)) effects.say("shell-agent: committed");
      await effects.writeNote({
        ...(await effects.readNote()),
        progress: { ...at, state: "Finished", head: await effects.head() },
      });
      return undefined;
    } catch (error) {
      if (!(error instanceof TownError)) throw error;
      return messageOf(error);
    }
  }

  async #report(work: Work): Promise<void> {
    const effects = this.#effects;
    if (work.close !== undefined) {
      await effects.verb("close", { id: work.close, continue: true });
      effects.say(`shell-agent: closed step ${work.step}`);
      return;
    }
    const outcome = outcomeOf(work.hook, await effects.head());
    await effects.verb("done", { ...outcome });
    effects.say(`shell-agent: handed in as ${outcome.outcome}`);
  }

  async #ask(): Promise<void> {
    this.#effects.title("waiting for input");
    this.#effects.say("Continue? [y/N]");
    await this.#effects.line();
  }

  /** Sits at its prompt whatever is typed. */
  async #ignore(): Promise<never> {
    this.#effects.title("idle");
    for (;;) {
      this.#effects.prompt();
      const typed = await this.#effects.line();
      if (typed === undefined) await new Promise<never>(() => {});
    }
  }

  async #misbehaves(
    kind: MisbehaviourKind,
    at: { readonly step: string; readonly attempt: number; readonly bead: string },
  ): Promise<boolean> {
    if (!this.#misbehaviours.some((entry) => entry.kind === kind)) return false;
    const note = await this.#effects.readNote();
    const entry = misbehaviourAt(this.#misbehaviours, { kind, ...at }, (each) =>
      note.happened.includes(misbehaviourKey(each, at.bead)),
    );
    if (entry === undefined) return false;
    await this.#effects.writeNote({ ...note, happened: [...note.happened, misbehaviourKey(entry, at.bead)] });
    this.#effects.say(`shell-agent: misbehaving: ${kind}${entry.step === "" ? "" : ` ${entry.step}`}`);
    return true;
  }
}

function contextOf({ hook, step }: Work): ScriptContext {
  return {
    variables: {
      TOWN_ATTEMPT: String(hook.attempt),
      TOWN_BEAD: hook.bead.id,
      TOWN_STEP: step,
      TOWN_BRANCH: hook.branch,
      TOWN_BASE: hook.base,
    },
    feedback: hook.feedback,
  };
}

function isFinal(error: unknown): boolean {
  return error instanceof TownError && "final" in error && error.final === true;
}
