import { describe, expect, it } from "vitest";
import { runTurn } from "../../src/turn-runner/run-turn.ts";

const sh = (script: string, limitMs?: number): ReturnType<typeof runTurn> =>
  runTurn(["/bin/sh", "-c", script], { limitMs, print: () => undefined });

describe("one turn of a real program", () => {
  it("given a program that ends, when run, then its exit code and what it printed come back", async () => {
    expect(await sh("echo hello; exit 3", 60_000)).toEqual({ exitCode: 3, output: "hello\n" });
    expect(await runTurn(["/no/such/program"], { limitMs: undefined, print: () => undefined })).toMatchObject({
      exitCode: 127,
    });
  });

  it("given a program that hangs, when its time is over, then it is ended, and what it printed is kept", async () => {
    expect(await sh("echo begun; exec sleep 600", 300)).toEqual({ exitCode: 124, output: "begun\n", hung: true });
  });

  it("given something that it left in the background, when the turn ends, then nobody waits for that", async () => {
    expect(await sh("sleep 600 & echo $!", 60_000).then(({ output }) => process.kill(Number(output), "SIGKILL"))).toBe(
      true,
    );
  });
});
