import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TmuxSessionsOptions, TmuxSessions } from "../../../src/adapters/tmux/tmux-sessions.ts";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { listeningLog } from "../sessions/real-programs.ts";

export const tmuxInstalled = spawnSync("tmux", ["-V"]).status === 0;
if (!tmuxInstalled) console.error("SKIPPED: tmux is not installed, so nothing about the tmux runtime is tested here");

let worlds = 0;

/** A tmux server and state directory of a test's own; `dispose` ends both. */
export interface TmuxWorld {
  readonly label: string;
  readonly stateDirectory: string;
  readonly log: ReturnType<typeof listeningLog>;
  open(over?: Partial<TmuxSessionsOptions>): Promise<TmuxSessions>;
  /** Runs a tmux command on the server from outside. */
  tmux(...args: readonly string[]): string;
  dispose(): Promise<void>;
}

export function tmuxWorld(directoryName = "state"): TmuxWorld {
  worlds += 1;
  const label = `town-test-${process.pid}-${worlds}`;
  const home = mkdtempSync(join(tmpdir(), "town-tmux-"));
  const stateDirectory = join(home, directoryName);
  const opened: TmuxSessions[] = [];
  const log = listeningLog();
  const tmux = (...args: readonly string[]): string =>
    execFileSync("tmux", ["-L", label, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return {
    label,
    stateDirectory,
    log,
    tmux,
    open: async (over = {}) => {
      const sessions = await TmuxSessions.open({ label, stateDirectory, clock: systemClock, log, ...over });
      opened.push(sessions);
      return sessions;
    },
    dispose: async () => {
      for (const sessions of opened) await sessions.close();
      const last = await TmuxSessions.open({ label, stateDirectory, clock: systemClock, log });
      await last.killServer();
      await last.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
