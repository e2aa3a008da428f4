import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Git, Repository } from "../ports/git.ts";
import { agentFindings } from "./doctor-agents.ts";
import type { Finding } from "./finding.ts";
import { townFindings } from "./doctor-town.ts";
import { townLayout } from "./layout.ts";

interface Streams {
  out(text: string): void;
}

const MIN_FREE_BYTES = 2 * 1024 ** 3;

/** Checks of the machine and the town that need no daemon; exit 1 when one is an Error. */
export async function runDoctor(
  at: {
    readonly cwd: string;
    readonly json: boolean;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly builtinDirectory: string;
  },
  git: Git,
  streams: Streams,
): Promise<number> {
  const machine = [
    nodeVersion(),
    program("git", ["--version"], [2, 38], "Error"),
    program("tmux", ["-V"], [3, 2], "Warning"),
    await disk(at.cwd),
  ];
  // Without a usable git there is nothing more to ask it.
  const hasGit = machine.every((finding) => finding.check !== "git" || finding.state === "Ok");
  const repository = hasGit ? await git.open(at.cwd) : undefined;
  const agents = await agentFindings({ ...at, town: repository?.path });
  const findings = [...machine, ...agents, ...(hasGit ? await town(at, repository, git) : []), isolation()];
  streams.out(at.json ? `${JSON.stringify(findings, undefined, 2)}\n` : findingsText(findings));
  return findings.some((finding) => finding.state === "Error") ? 1 : 0;
}

const MARK = { Ok: "ok", Warning: "warning", Error: "error" } as const;

function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const indent = " ".repeat(9 + width + 2);
  const lines = findings.flatMap(({ check, state, message, fix }) => [
    `${MARK[state].padEnd(9)}${check.padEnd(width)}  ${message}`,
    ...(fix === undefined ? [] : [`${indent}${fix}`]),
  ]);
  const count = (state: Finding["state"]): number => findings.filter((finding) => finding.state === state).length;
  return `${lines.join("\n")}\n\n${count("Error")} errors, ${count("Warning")} warnings\n`;
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return {
    check: "node",
    state: good ? "Ok" : "Error",
    message: process.versions.node,
    ...(good ? {} : { fix: "install Node 20.19 or newer" }),
  };
}

function program(
  name: string,
  args: readonly string[],
  least: readonly [number, number],
  missing: "Warning" | "Error",
): Finding {
  const { status, stdout } = spawnSync(name, args, { encoding: "utf8", timeout: 5_000 });
  const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout ?? "") ?? [];
  if (status !== 0 || major === undefined)
    return {
      check: name,
      state: missing,
      message: "not found",
      fix:
        name === "tmux"
          ? "agents run as plain processes; install tmux to look at and attach to them"
          : `install ${name}`,
    };
  const good = Number(major) > least[0] || (Number(major) === least[0] && Number(minor) >= least[1]);
  return {
    check: name,
    state: good ? "Ok" : missing,
    message: stdout.trim(),
    ...(good ? {} : { fix: `install ${name} ${least.join(".")} or newer` }),
  };
}

async function disk(directory: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const text = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  return free >= MIN_FREE_BYTES
    ? { check: "disk", state: "Ok", message: text }
    : {
        check: "disk",
        state: "Warning",
        message: text,
        fix: "nothing new is claimed below spec.capacity.diskFloor of the Town (2Gi)",
      };
}

async function town(
  at: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
  repository: Repository | undefined,
  git: Git,
): Promise<readonly Finding[]> {
  if (repository === undefined)
    return [{ check: "town", state: "Warning", message: `no town at ${at.cwd}`, fix: "make one: town init DIR" }];
  const { socket } = townLayout(repository.path, repository.commonDirectory, at.env["XDG_RUNTIME_DIR"]);
  return [
    { check: "town", state: "Ok", message: repository.path },
    socketPlace(socket),
    ...(await townFindings(repository, git, Date.now())),
  ];
}

function socketPlace(socket: string): Finding {
  const base = dirname(dirname(socket));
  try {
    accessSync(base, constants.W_OK | constants.X_OK);
    return { check: "socket", state: "Ok", message: socket };
  } catch {
    return {
      check: "socket",
      state: "Error",
      message: `cannot write to ${base}, where the API's socket goes`,
      fix: "make it writable, or set XDG_RUNTIME_DIR or TMPDIR to another directory",
    };
  }
}

function isolation(): Finding {
  return {
    check: "isolation",
    state: "Warning",
    message: "agents run as you: permissions stop mistakes, not malice",
  };
}
