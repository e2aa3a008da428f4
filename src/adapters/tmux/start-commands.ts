import type { SessionStart } from "../../ports/sessions.ts";
import type { SessionRecord } from "../sessions/session-files.ts";
import { shellWord } from "../sessions/shell-text.ts";
import { formatLiteral, timeFormatLiteral, tmuxWord } from "./control-protocol.ts";
import { paneLabels } from "./pane-row.ts";

export interface StartPaths {
  readonly shim: string;
  readonly logScript: string;
  readonly log: string;
}

/**
 * One line of commands that creates a session, labels it and begins its log. tmux runs a line in one go, so no list
 * shows the session without its labels and no output is missed. Prints `<pane id> <pid>`.
 *
 * The program's environment is in the shim: nothing of it, nor of the tmux server's own, gets in by `env -i`.
 */
export function startCommands(start: SessionStart, record: SessionRecord, paths: StartPaths): string {
  const target = `=${start.name}:`;
  const window = formatLiteral(start.role === "" ? start.name : start.role);
  const size = ["-x", String(start.columns ?? 200), "-y", String(start.rows ?? 50)];
  const program = ["/usr/bin/env", "-i", "/bin/sh", paths.shim];
  const log = ["exec", "/bin/sh", paths.logScript, paths.log].map(shellWord).join(" ");
  const place = ["-s", start.name, "-n", window, ...size, "-c", formatLiteral(start.cwd)];
  const commands = [
    ["new-session", "-d", "-P", "-F", "#{pane_id} #{pane_pid}", ...place, ...program],
    ...paneLabels(record).map(([option, value]) => ["set-option", "-p", "-t", target, option, value]),
    // Whatever a person's configuration says: the last screen is evidence.
    ["set-option", "-p", "-t", target, "remain-on-exit", "on"],
    ["select-pane", "-t", target, "-T", ""],
    ["pipe-pane", "-t", target, timeFormatLiteral(log)],
  ];
  return commands.map((words) => words.map(tmuxWord).join(" ")).join(" ; ");
}
