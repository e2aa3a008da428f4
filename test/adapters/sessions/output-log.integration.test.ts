import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OUTPUT_LOG_SCRIPT, tailOfLog } from "../../../src/adapters/sessions/output-log.ts";
import { until } from "./real-programs.ts";

let home: string;
let log: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "town log 'q' "));
  log = join(home, "a.1.log");
  writeFileSync(join(home, "log.sh"), OUTPUT_LOG_SCRIPT);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const writer = () => spawn("/bin/sh", [join(home, "log.sh"), log], { stdio: ["pipe", "ignore", "ignore"] });

test("given output in pieces, when written, then each piece is in the file at once and the end ends it", async () => {
  const child = writer();
  child.stdin.write("one\n");
  await until("the first piece", () => existsSync(log) && readFileSync(log, "utf8") === "one\n");
  child.stdin.write("two");
  await until("the second piece", () => readFileSync(log, "utf8") === "one\ntwo");
  child.stdin.end();
  await once(child, "exit");
  expect(existsSync(`${log}.1`)).toBe(false);
});

test("given an existing log, when written, then it is appended to", async () => {
  writeFileSync(log, "before\n");
  const child = writer();
  child.stdin.end("after\n");
  await once(child, "exit");
  expect(readFileSync(log, "utf8")).toBe("before\nafter\n");
});

test("given 40 MiB, when written, then no more than two files of 8 MiB are kept and the end is whole", async () => {
  const child = writer();
  const line = `${"x".repeat(1_023)}\n`;
  for (let written = 0; written < 40; written += 1) {
    if (!child.stdin.write(line.repeat(1_024))) await once(child.stdin, "drain");
  }
  child.stdin.end("the last line\n");
  await once(child, "exit");
  expect(statSync(log).size).toBeLessThanOrEqual(8 << 20);
  expect(statSync(`${log}.1`).size).toBeLessThanOrEqual(8 << 20);
  expect(await tailOfLog(log, 2)).toBe(`${"x".repeat(1_023)}\nthe last line`);
});

test("given a log that was just rotated, when its tail is read, then it goes on in the older file", async () => {
  writeFileSync(`${log}.1`, "one\ntwo\n");
  writeFileSync(log, "three\n");
  expect(await tailOfLog(log, 2)).toBe("two\nthree");
});

test("given what a terminal program writes, when its tail is read, then it is plain text", async () => {
  writeFileSync(log, "\u001b[1mbold\u001b[0m\r\nprogress 1%\rprogress 99%\r\n\u001b]2;title\u0007end\r\n\r\n\r\n");
  expect(await tailOfLog(log, 10)).toBe("bold\nprogress 99%\nend");
});

test("given no log, when its tail is read, then there is none", async () => {
  expect(await tailOfLog(join(home, "none"), 10)).toBeUndefined();
});
