import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, TownError } from "../errors/town-error.ts";
import { type AgentEffects, AgentLoop, type ScriptContext } from "./agent-loop.ts";
import { misbehaviours } from "./misbehaviour.ts";
import { runProgram } from "./run-script.ts";
import { noteOf, noteText } from "./step-note.ts";
import { Terminal } from "./terminal.ts";
import { TownApi } from "./town-api.ts";
import { Worktree } from "./worktree.ts";

const USAGE = 2;

/** The program of the `shell` provider. Runs in its sandbox; the town's address and its own name come by environment. */
async function main(env: NodeJS.ProcessEnv): Promise<number> {
  const identity = required(env, "TOWN_AGENT");
  const terminal = new Terminal(process.stdin, process.stdout, identity);
  const worktree = new Worktree(process.cwd(), env);
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const api = new TownApi({
    socketPath: required(env, "TOWN_SOCKET"),
    tokenFile: required(env, "TOWN_TOKEN_FILE"),
    sleep,
    away: (why) =>
      terminal.say(why === undefined ? "shell-agent: the town is back" : `shell-agent: waiting for the town (${why})`),
  });
  const notePath = async (): Promise<string> => join(await worktree.ownDirectory(), "note.json");
  const effects: AgentEffects = {
    // An answer that is lost on the way is asked for again as the same request.
    prime: async () => {
      const { data, receipt } = await api.answer("prime", { request: randomUUID() });
      return { data, shown: () => api.receipt(receipt) };
    },
    verb: (name, args) => api.verb(name, args),
    head: () => worktree.head(),
    commitAll: (message) => worktree.commitAll(message),
    backTo: (head) => worktree.backTo(head),
    readNote: async () => noteOf(await readFile(await notePath(), "utf8").catch(() => undefined)),
    writeNote: async (note) => {
      const path = await notePath();
      await writeFile(`${path}.tmp`, noteText(note));
      await rename(`${path}.tmp`, path);
    },
    run: (script, about) => runScript({ script, about, worktree, env, print: (text) => terminal.print(text) }),
    say: (text) => terminal.say(text),
    prompt: () => terminal.prompt(),
    title: (state) => terminal.title(state),
    forgetLines: () => terminal.forgetLines(),
    line: (ms) => terminal.line(ms),
    sleep,
    die: async () => {
      process.kill(process.pid, "SIGKILL");
      return new Promise<never>(() => {});
    },
  };
  return new AgentLoop(identity, misbehaviours(env["TOWN_SHELL_AGENT_MISBEHAVE"] ?? ""), effects).run();
}

interface ScriptRun {
  readonly script: string;
  readonly about: ScriptContext;
  readonly worktree: Worktree;
  readonly env: NodeJS.ProcessEnv;
  readonly print: (text: string) => void;
}

/** Under `sh -e`: the first command that fails ends the block, as people expect of a script in a task. */
async function runScript({
  script,
  about,
  worktree,
  env,
  print,
}: ScriptRun): Promise<{ readonly exitCode: number; readonly tail: string }> {
  const own = await worktree.ownDirectory();
  const feedback = join(own, "feedback.txt");
  const block = join(own, "block.sh");
  await writeFile(feedback, about.feedback);
  await writeFile(block, script);
  return runProgram("/bin/sh", ["-e", block], {
    cwd: process.cwd(),
    env: { ...env, ...about.variables, TOWN_FEEDBACK_FILE: feedback },
    print,
  });
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === "")
    throw new TownError(
      "NotInSession",
      `shell-agent: ${name} is not set: this program is started by Town inside a session`,
    );
  return value;
}

// A program that waits must not end because nothing is left to happen.
setInterval(() => {}, 2 ** 30);
try {
  process.exit(await main(process.env));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(
    error instanceof RangeError || (error instanceof TownError && error.reason === "NotInSession") ? USAGE : 1,
  );
}
