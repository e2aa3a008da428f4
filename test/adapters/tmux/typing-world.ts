import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TmuxSessions } from "../../../src/adapters/tmux/tmux-sessions.ts";
import type { SessionStart } from "../../../src/ports/sessions.ts";
import { TOAST, toastStart } from "../../ports/session-start.ts";
import { pause, until } from "../sessions/real-programs.ts";
import { tmuxWorld, type TmuxWorld } from "./tmux-world.ts";
import { TYPING_AGENT } from "./typing-agent.ts";

interface Note {
  readonly kind: string;
  readonly text: string;
}

/** A tmux world whose sessions run the typing agent, and people at their terminals. */
export class TypingWorld {
  readonly world: TmuxWorld;
  readonly sessions: TmuxSessions;
  readonly #program: string;
  readonly #out: string;
  readonly #people: ChildProcess[] = [];

  private constructor(world: TmuxWorld, sessions: TmuxSessions) {
    this.world = world;
    this.sessions = sessions;
    this.#out = join(world.stateDirectory, "out");
    this.#program = join(world.stateDirectory, "agent.cjs");
    writeFileSync(this.#program, TYPING_AGENT);
  }

  static async open(): Promise<TypingWorld> {
    const world = tmuxWorld();
    return new TypingWorld(world, await world.open());
  }

  command(mode: string): readonly string[] {
    return [process.execPath, this.#program, mode, this.#out];
  }

  /** What the agents have written down, of all sessions, oldest first. */
  notes(): readonly Note[] {
    const lines = existsSync(this.#out) ? readFileSync(this.#out, "utf8").split("\n").slice(0, -1) : [];
    return lines.map((line) => JSON.parse(line) as Note);
  }

  submitted(): readonly string[] {
    return this.#of("submitted").map(({ text }) => text);
  }

  /** Runs `begin`, and waits until one more agent is ready than there were. */
  async ready(begin: () => unknown): Promise<void> {
    const before = this.#of("ready").length;
    await begin();
    await until("the agent to be ready", () => this.#of("ready").length > before);
  }

  async start(mode: string, over: Partial<SessionStart> = {}): Promise<void> {
    await this.ready(() => this.sessions.start(toastStart({ argv: this.command(mode), ...over })));
    await pause(100);
  }

  /** A person's terminal on toast's session, as util-linux' `script` gives one. */
  async attach(): Promise<ChildProcess> {
    const person = spawn("/usr/bin/script", ["-qec", this.sessions.attachCommand(TOAST).join(" "), "/dev/null"], {
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, TERM: "xterm", TMUX: undefined },
    });
    this.#people.push(person);
    await until("the person to be attached", () =>
      this.world.tmux("list-clients", "-F", "#{session_name}").includes(TOAST),
    );
    return person;
  }

  async dispose(): Promise<void> {
    for (const person of this.#people) person.kill("SIGKILL");
    await this.world.dispose();
  }

  #of(kind: string): readonly Note[] {
    return this.notes().filter((note) => note.kind === kind);
  }
}
