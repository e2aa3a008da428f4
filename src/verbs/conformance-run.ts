import { screenState, type ScreenState } from "../domain/agent-program/screen-state.ts";
import { messageOf } from "../errors/town-error.ts";
import type { ProviderSpec, ProviderStatus } from "../kinds/provider/provider.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { type Finding, needsPerson, NUDGED, PROBE, type ProbeCall, probeCalls } from "../work/conformance.ts";
import { type Launch, launch } from "../work/launch.ts";
import { resolveEnvironment } from "../work/session-environment.ts";

/** Some programs take seconds of a whole core to start: on a busy machine that is a minute. */
const START_MS = 120_000;
const ACT_MS = 120_000;
const IDLE_MS = 60_000;
const LOOK_MS = 500;
const DOORBELL = "[town] Something waits for you: do what the message with this prompt says.";

type Result = Finding["result"];

/**
 * One run of the conformance script: the program at a terminal with a stand-in for `town` on its PATH, then its headless
 * form. Later checks rest on earlier ones: after the first that fails the rest of that part is skipped.
 */
export class ConformanceRun {
  readonly #provider: TownObject<ProviderSpec, ProviderStatus>;
  readonly #ports: LoopPorts;
  readonly #findings: Finding[] = [];
  readonly #directory: string;
  readonly #session: string;
  #generation: number;
  #env: Readonly<Record<string, string>> = {};

  constructor(provider: TownObject<ProviderSpec, ProviderStatus>, ports: LoopPorts) {
    this.#provider = provider;
    this.#ports = ports;
    this.#directory = `${ports.layout.root}/rigs/.conformance/${provider.metadata.name}`;
    this.#session = `conformance-${provider.metadata.name}`;
    // Above any former run's: what that left is replaced.
    this.#generation = Math.floor(ports.clock.now() / 1000);
  }

  async all(): Promise<readonly Finding[]> {
    await this.#prepare();
    if (this.#ports.sessions.runtime === "process") this.#note("at a terminal", "Skipped", "sessions have none here");
    else await this.#atTerminal();
    await this.#headless();
    return this.#findings;
  }

  /** Ends and removes whatever is left of it. */
  async end(): Promise<void> {
    await this.#ports.sessions.stop(this.#session, this.#generation, { graceMs: 2_000 });
    await this.#ports.files.removeTree(this.#directory);
  }

  async #prepare(): Promise<void> {
    const { files, git, clock, sessionPath } = this.#ports;
    await files.removeTree(this.#directory);
    for (const each of ["work", "bin", "session"]) await files.makeDirectory(`${this.#directory}/${each}`);
    await files.writeAtomic(`${this.#directory}/bin/town`, PROBE, { mode: 0o755 });
    await files.writeAtomic(`${this.#directory}/work/README.md`, "# Conformance\n");
    const repository = await git.init(`${this.#directory}/work`, { bare: false, branch: "main" });
    const author = { name: "town", email: "conformance@town.invalid", timeMs: clock.now() };
    await repository.commitAll(`${this.#directory}/work`, "Begin", author, author);
    const town = this.#ports.objects.get({ kind: "Town", name: "hq" }) as
      | TownObject<{ readonly env?: ProviderSpec["env"] }>
      | undefined;
    this.#env = {
      ...(await resolveEnvironment([town?.spec.env, this.#provider.spec.env], this.#ports)),
      PATH: `${this.#directory}/bin:${sessionPath}`,
    };
  }

  async #atTerminal(): Promise<void> {
    if (!(await this.#starts(undefined))) return;
    if (!(await this.#works())) return;
    if (!(await this.#rests())) return;
    await this.#hears();
    await this.#resumes();
  }

  /** It comes up, and its start hook, where the manifest claims one, calls. */
  async #starts(resume: string | undefined): Promise<boolean> {
    const check = resume === undefined ? "start" : "resume";
    try {
      await this.#launch(resume);
    } catch (error) {
      return this.#note(check, "Failed", messageOf(error));
    }
    if (!this.#tells("SessionStart")) return this.#note(check, "Passed", "the program runs");
    const calls = (await this.#calls()).length;
    const called = await this.#until(START_MS, async () =>
      (await this.#calls()).slice(resume === undefined ? 0 : calls).find(({ args }) => args.startsWith("prime --hook")),
    );
    if (typeof called === "string") return this.#note(check, "Failed", `its start hook did not call town: ${called}`);
    if (resume !== undefined && called.session !== resume)
      return this.#note(check, "Failed", `it began another conversation (${called.session ?? "unknown"})`);
    return this.#note(check, "Passed", `its start hook called town, conversation ${called.session ?? "unknown"}`);
  }

  async #works(): Promise<boolean> {
    const { mode } = this.#provider.spec.prompt;
    if (mode === "None" || mode === "Paste") await this.#type();
    const seen = await this.#until(ACT_MS, async () => this.#called("conformance begun"));
    if (typeof seen === "string") return this.#note("first prompt", "Failed", `it did not run the command: ${seen}`);
    return this.#note("first prompt", "Passed", "it was taken, and the command that it asks for was run");
  }

  async #rests(): Promise<boolean> {
    const idle = await this.#until(IDLE_MS, async () => (await this.#screen()).state === "Idle" || undefined);
    if (typeof idle === "string") return this.#note("idle", "Failed", `its prompt was not recognised: ${idle}`);
    this.#note("idle", "Passed", "its prompt was recognised");
    if (!this.#tells("Stop")) return true;
    const stopped = await this.#until(IDLE_MS, async () => this.#called("nudge drain --hook --reply block"));
    this.#note("stop hook", typeof stopped === "string" ? "Failed" : "Passed", "called when its turn ended");
    return true;
  }

  /** A line typed at its prompt is submitted, and what waits for it comes with it. */
  async #hears(): Promise<void> {
    if (!this.#tells("PromptSubmit")) {
      this.#note("prompt hook", "Skipped", "the manifest names none");
      return;
    }
    await this.#ports.files.writeAtomic(`${this.#directory}/bin/say`, `${NUDGED}\n`);
    const typed = await this.#type();
    const heard = await this.#until(ACT_MS, async () => this.#called("conformance nudged"));
    const detail = typeof heard === "string" ? `typing was ${typed}; ${heard}` : "a typed line brought the message";
    this.#note("prompt hook", typeof heard === "string" ? "Failed" : "Passed", detail);
  }

  async #resumes(): Promise<void> {
    const held = (await this.#calls()).find(({ session }) => session !== undefined)?.session;
    if (this.#provider.spec.resume?.args === undefined || held === undefined) {
      this.#note("resume", "Skipped", "no conversation can be named");
      return;
    }
    await this.#replace();
    await this.#starts(held);
  }

  async #headless(): Promise<void> {
    const { headless } = this.#provider.spec;
    if (headless === undefined) {
      this.#note("headless", "Skipped", "the manifest has no such form");
      return;
    }
    await this.#replace();
    const before = (await this.#calls()).length;
    const { first, env } = this.#headlessTurn();
    try {
      await this.#start(first, env);
    } catch (error) {
      this.#note("headless", "Failed", messageOf(error));
      return;
    }
    const { clock, sessions } = this.#ports;
    const deadline = clock.monotonicMs() + ACT_MS;
    let exitCode: number | undefined;
    while (exitCode === undefined && clock.monotonicMs() < deadline) {
      await clock.sleep(LOOK_MS);
      const seen = (await sessions.observe()).sessions.find(({ name }) => name === this.#session);
      if (seen?.state === "Exited") exitCode = seen.exitCode ?? 1;
    }
    const ran = (await this.#calls()).slice(before).some(({ args }) => args === "conformance begun");
    const how = exitCode === undefined ? `it did not end within ${ACT_MS / 1000} s` : `it ended with ${exitCode}`;
    if (exitCode === 0 && ran) this.#note("headless", "Passed", "one turn ran the command and ended");
    else this.#note("headless", "Failed", `${how}${ran ? "" : " and did not run the command"}: ${await this.#tail()}`);
  }

  #headlessTurn(): { readonly first: readonly string[]; readonly env: Readonly<Record<string, string>> } {
    const started = this.#launchOf(undefined, ["turns"]);
    const plan = JSON.parse(started.files.at(-1)?.text ?? "{}") as { first: readonly string[]; prompt?: string };
    return { first: plan.first.map((word) => word.replaceAll("{prompt}", plan.prompt ?? "")), env: started.env };
  }

  #launchOf(resume: string | undefined, turnRunner: readonly string[] | undefined): Launch {
    return launch({
      program: this.#provider.spec,
      sandbox: `${this.#directory}/work`,
      directory: `${this.#directory}/session`,
      hasWork: true,
      resume,
      newSession: this.#ports.random.uuid(),
      shipped: { shellAgent: this.#ports.shellAgent },
      turnRunner,
      endsWithoutWork: true,
    });
  }

  async #launch(resume: string | undefined): Promise<void> {
    const started = this.#launchOf(resume, undefined);
    for (const { path, text } of started.files) {
      await this.#ports.files.makeDirectory(path.slice(0, path.lastIndexOf("/")));
      await this.#ports.files.writeAtomic(path, text, { mode: 0o600 });
    }
    await this.#start(started.argv, started.env);
  }

  async #start(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
    await this.#ports.sessions.start({
      name: this.#session,
      namespace: "hq",
      agent: this.#session,
      role: "conformance",
      generation: this.#generation,
      cwd: `${this.#directory}/work`,
      argv,
      env: { ...this.#env, ...env },
    });
  }

  /** Makes room for the next start. */
  async #replace(): Promise<void> {
    await this.#ports.sessions.stop(this.#session, this.#generation, { graceMs: 2_000 });
    this.#generation += 1;
  }

  #type(): Promise<"Typed" | "Refused"> {
    return this.#ports.sessions.type(this.#session, this.#generation, DOORBELL);
  }

  async #calls(): Promise<readonly ProbeCall[]> {
    return probeCalls((await this.#ports.files.readText(`${this.#directory}/bin/calls`)) ?? "");
  }

  async #called(args: string): Promise<ProbeCall | undefined> {
    return (await this.#calls()).find((call) => call.args === args);
  }

  #tells(event: string): boolean {
    return this.#provider.spec.hooks?.events.some((each) => each === event) === true;
  }

  async #screen(): Promise<ScreenState> {
    const { sessions, clock } = this.#ports;
    const { sessions: seen } = await sessions.observe();
    const title = seen.find(({ name }) => name === this.#session)?.title;
    const screen = (await sessions.capture(this.#session, 100)) ?? "";
    return screenState(this.#provider.spec, screen, title, clock.now());
  }

  /** Waits for something; a text says why it did not come. */
  async #until<T extends object | true>(ms: number, look: () => Promise<T | undefined>): Promise<T | string> {
    const { clock, sessions } = this.#ports;
    const deadline = clock.monotonicMs() + ms;
    let waitsForPerson: string | undefined;
    while (clock.monotonicMs() < deadline) {
      const seen = await look();
      if (seen !== undefined) return seen;
      // Twice in a row: a dialog may pass by.
      const asks = needsPerson(await this.#screen());
      if (asks !== undefined && asks === waitsForPerson) return asks;
      waitsForPerson = asks;
      const session = (await sessions.observe()).sessions.find(({ name }) => name === this.#session);
      if (session?.state === "Exited") return `it ended: ${await this.#tail()}`;
      await clock.sleep(LOOK_MS);
    }
    return `not within ${ms / 1000} s; its screen: ${await this.#tail()}`;
  }

  async #tail(): Promise<string> {
    return ((await this.#ports.sessions.capture(this.#session, 12)) ?? "").replace(/\s*\n\s*/g, " / ").slice(-400);
  }

  #note(check: string, result: Result, detail: string): boolean {
    this.#findings.push({ check, result, detail });
    return result === "Passed";
  }
}
