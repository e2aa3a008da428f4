import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { plainText } from "../../src/cli/output/terminal-text.ts";
import type { Answer, TownProcess } from "./town-process.ts";

/** Characters of a whole report: what a log of CI still shows next to the failures of others. */
const MOST = 12_000;
const LOG_LINES = 60;
const LINE = 200;
const SCREENS = 5;
const SCREEN_LINES = 10;

/** What a person would look at first when a town does not do what was waited for, from its log up to its terminals. */
export function townReport(town: TownProcess): string {
  const parts = [
    said("town status", town.run("status"), 1_500),
    said("town get agents -A -o wide", town.run("get", "agents", "-A", "-o", "wide"), 1_500),
    said("town events -A", withoutPrograms(town.run("events", "-A")), 2_500),
    ...screens(town),
    ...logs(town),
  ];
  return parts.join("\n").slice(0, MOST);
}

/** What is not installed is told of every provider that comes with the program. */
function withoutPrograms(answer: Answer): Answer {
  const lines = answer.stdout.split("\n").filter((line) => !line.includes(" ProgramNotFound "));
  return { ...answer, stdout: lines.map((line) => line.slice(0, LINE)).join("\n") };
}

function said(command: string, { status, stdout, stderr }: Answer, most: number): string {
  const text = `${stdout}${status === 0 ? "" : `${stderr}exit code ${status}`}`.trim();
  // The newest is last.
  return `--- ${command}\n${text.length > most ? `…${text.slice(-most)}` : text}`;
}

/** The last lines of each agent's terminal. */
function screens({ tmuxLabel, env }: TownProcess): readonly string[] {
  const tmux = (...args: string[]): string =>
    spawnSync("tmux", ["-L", tmuxLabel, ...args], { encoding: "utf8", env, timeout: 10_000 }).stdout ?? "";
  const panes = tmux("list-panes", "-a", "-F", "#{pane_id} #{session_name} dead=#{pane_dead} title=#{pane_title}");
  return panes
    .split("\n")
    .filter((pane) => pane !== "" && !pane.includes(" _town "))
    .slice(0, SCREENS)
    .map((pane) => {
      const shown = tmux("capture-pane", "-p", "-t", pane.split(" ")[0] ?? "");
      return [`--- terminal ${pane}`, ...lastLines(shown, SCREEN_LINES)].join("\n");
    });
}

/** The last lines of what the controller wrote, without those for debugging, and without what every line says. */
function logs({ directory, home }: TownProcess): readonly string[] {
  return [join(directory, ".git/town/log/daemon.log"), join(home, "controller.log")]
    .filter((path) => existsSync(path))
    .map((path) => [`--- ${path}`, ...lastLines(readFileSync(path, "utf8"), LOG_LINES)].join("\n"));
}

function lastLines(text: string, count: number): readonly string[] {
  return text
    .split("\n")
    .map((line) => logged(line) ?? plainText(line).trimEnd())
    .filter((line) => line !== "")
    .slice(-count)
    .map((line) => line.slice(0, LINE));
}

/** A record of the log in short; empty for one that is of no interest; undefined where it is none. */
function logged(line: string): string | undefined {
  if (!line.startsWith('{"level":')) return undefined;
  try {
    const { level, time, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
    if (level === "debug" || level === "trace") return "";
    const fields = Object.entries(rest)
      .filter(([name]) => name !== "reconcileId")
      .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    return `${String(time).slice(11, 23)} ${String(level)} ${String(msg)} ${fields.join(" ")}`;
  } catch {
    return undefined;
  }
}
