import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { messageOf, TownError } from "../errors/town-error.ts";
import { type Answer, RefusedError, TownApi } from "../shell-agent/town-api.ts";
import { runTurn } from "./run-turn.ts";
import { type Reading, runTurns } from "./turn-loop.ts";
import { turnPlanOf } from "./turn-plan.ts";

const USAGE = 2;
/** The session is void: another one has taken over, or the town ended it. */
const VOID = 3;

/** Runs the turns of one session; its program's output is its own. */
async function main(env: NodeJS.ProcessEnv, path: string | undefined): Promise<number> {
  if (path === undefined) throw new TownError("Usage", "turn-runner: it is started with the path of a plan");
  const plan = turnPlanOf(await readFile(path, "utf8"));
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const say = (text: string): void => void process.stdout.write(`turn-runner: ${text}\n`);
  const api = new TownApi({
    socketPath: required(env, "TOWN_SOCKET"),
    tokenFile: required(env, "TOWN_TOKEN_FILE"),
    sleep,
    away: (why) => say(why === undefined ? "the town is back" : `waiting for the town (${why})`),
  });
  return runTurns(plan, {
    read: async () => readingOf(await api.answer("prime", { request: randomUUID() })),
    receipt: (reading, how) => api.receipt(reading.receipt, how),
    run: (command) => runTurn(command, { limitMs: plan.limitMs, print: (text) => process.stdout.write(text) }),
    say,
    sleep,
  });
}

/** What `prime` answered; it hands messages over with the work. */
function readingOf(answer: Answer): Reading {
  const data = (answer.data ?? {}) as {
    readonly hook?: { readonly bead?: { readonly id?: string }; readonly step?: { readonly id?: string } } | null;
    readonly messages?: readonly unknown[];
  };
  const { hook } = data;
  return {
    text: answer.text,
    work: hook === null || hook === undefined ? undefined : `${hook.bead?.id ?? ""} ${hook.step?.id ?? ""}`.trim(),
    hasMessages: (data.messages ?? []).length > 0,
    receipt: answer.receipt,
  };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === "")
    throw new TownError("Usage", `turn-runner: ${name} is not set: it is started by Town inside a session`);
  return value;
}

try {
  process.exit(await main(process.env, process.argv[2]));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  if (error instanceof RefusedError) process.exit(error.final ? VOID : 1);
  process.exit(error instanceof TypeError || (error instanceof TownError && error.reason === "Usage") ? USAGE : 1);
}
