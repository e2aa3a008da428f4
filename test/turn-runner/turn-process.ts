import { spawn } from "node:child_process";
import { runTurn } from "../../src/turn-runner/run-turn.ts";

// One turn of a program in a process of its own, as in a session. Usage: turn-process.ts LIMIT-MS GRACE-MS COMMAND...
// (an empty number: the default). Prints, as JSON, the turn's result and the pid of a process that ran in its group before.
const [limitMs = "", graceMs = "", ...command] = process.argv.slice(2);
const before = spawn("sleep", ["600"], { stdio: "ignore" });
const result = await runTurn(command, {
  limitMs: limitMs === "" ? undefined : Number(limitMs),
  ...(graceMs === "" ? {} : { graceMs: Number(graceMs) }),
  print: () => undefined,
});
process.stdout.write(`${JSON.stringify({ result, before: before.pid })}\n`, () => process.exit(0));
