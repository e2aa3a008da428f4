import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { createNodeProcesses } from "../adapters/node-processes.ts";
import type { Git } from "../ports/git.ts";

export interface Finding {
  readonly check: string;
  readonly state: "Ok" | "Warning" | "Error";
  readonly message: string;
  readonly fix?: string;
}

interface Streams {
  out(text: string): void;
}

const MIN_FREE_BYTES = 2 * 1024 ** 3;

/** Checks of the machine and the town that need no daemon; exit 1 when one is an Error. */
export async function runDoctor(
  at: { readonly cwd: string; readonly json: boolean },
  git: Git,
  streams: Streams,
): Promise<number> {
  const findings = [
    nodeVersion(),
    program("git", ["--version"], [2, 38], "Error"),
    program("tmux", ["-V"], [3, 2], "Warning"),
    await disk(at.cwd),
    ...(await town(at.cwd, git)),
    isolation(),
  ];
  if (at.json) streams.out(`${JSON.stringify(findings, undefined, 2)}\n`);
  else {
    const mark = { Ok: "ok     ", Warning: "warning", Error: "error  " } as const;
    for (const finding of findings)
      streams.out(
        `${mark[finding.state]}  ${finding.check}: ${finding.message}${finding.fix === undefined ? "" : `\n         ${finding.fix}`}\n`,
      );
  }
  return findings.some((finding) => finding.state === "Error") ? 1 : 0;
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
        fix: "no new work is claimed below spec.capacity.diskFloor of the Town (default 2Gi)",
      };
}

async function town(directory: string, git: Git): Promise<readonly Finding[]> {
  const repository = await git.open(directory);
  if (repository === undefined)
    return [{ check: "town", state: "Warning", message: `no town at ${directory}`, fix: "make one: town init DIR" }];
  const endpoint = join(repository.commonDirectory, "town", "endpoint.json");
  if (!existsSync(endpoint))
    return [{ check: "controller", state: "Warning", message: "is not running", fix: "start it: town up -d" }];
  const { pid, startTime, bootId } = JSON.parse(readFileSync(endpoint, "utf8")) as {
    pid: number;
    startTime: string;
    bootId: string;
  };
  const state = await createNodeProcesses().probe({ pid, startTime, bootId });
  return state === "Alive"
    ? [{ check: "controller", state: "Ok", message: `runs (pid ${pid})` }]
    : [
        {
          check: "controller",
          state: "Error",
          message: `pid ${pid} is gone without having said goodbye`,
          fix: "start it again: town up -d",
        },
      ];
}

function isolation(): Finding {
  return {
    check: "isolation",
    state: "Warning",
    message: "agents run under your user: permissions stop mistakes, not malice",
  };
}
