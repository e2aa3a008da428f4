import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createLog } from "../../src/telemetry/log.ts";
import { RotatingFile } from "../../src/telemetry/rotating-file.ts";
import { virtualClock } from "../turn.ts";

function temporaryRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "town-log-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

describe("RotatingFile", () => {
  test("given more lines than fit, when written, then files are moved aside, the oldest go, and no line of the kept ones is lost or torn", () => {
    const root = temporaryRoot();
    const file = new RotatingFile({ path: `${root}/town.log`, maxBytes: 1_000, keep: 2 });
    for (let i = 0; i < 100; i += 1) file.write(`line ${String(i).padStart(3, "0")} ${"x".repeat(40)}\n`);
    file.close();
    expect(readdirSync(root).sort()).toEqual(["town.log", "town.log.1", "town.log.2"]);
    const text = ["town.log.2", "town.log.1", "town.log"]
      .map((name) => readFileSync(`${root}/${name}`, "utf8"))
      .join("");
    const numbers = text
      .trimEnd()
      .split("\n")
      .map((line) => Number(line.slice(5, 8)));
    expect(numbers.at(-1)).toBe(99);
    numbers.forEach((number, index) => expect(number).toBe((numbers[0] ?? 0) + index));
    for (const name of readdirSync(root)) expect(statSync(`${root}/${name}`).size).toBeLessThanOrEqual(1_000);
    expect(statSync(`${root}/town.log`).mode & 0o777).toBe(0o600);
  });

  test("given an existing file, when opened, then lines are added and its size counts", () => {
    const root = temporaryRoot();
    for (let i = 0; i < 3; i += 1) {
      const file = new RotatingFile({ path: `${root}/town.log`, maxBytes: 1_000 });
      file.write(`${"x".repeat(399)}\n`);
      file.close();
    }
    expect([statSync(`${root}/town.log`).size, statSync(`${root}/town.log.1`).size]).toEqual([400, 800]);
  });

  test("given a file that somebody moved away, when lines go on, then a new one is made soon", () => {
    const root = temporaryRoot();
    const file = new RotatingFile({ path: `${root}/town.log` });
    file.write("first\n");
    renameSync(`${root}/town.log`, `${root}/kept`);
    for (let i = 0; i < 300; i += 1) file.write(`${i}\n`);
    file.close();
    expect(readFileSync(`${root}/town.log`, "utf8").endsWith("299\n")).toBe(true);
  });

  test("given a directory that is gone, when lines are written, then nothing throws; when it is back, a line tells how many are lost", () => {
    const root = temporaryRoot();
    const file = new RotatingFile({ path: `${root}/later/town.log` });
    for (let i = 0; i < 3; i += 1) file.write("lost\n");
    mkdirSync(`${root}/later`);
    file.write("back\n");
    file.write("again\n");
    const lines = readFileSync(`${root}/later/town.log`, "utf8").trimEnd().split("\n");
    expect(lines).toEqual([JSON.stringify({ level: "warn", msg: "log lines were lost", lines: 3 }), "back", "again"]);
  });

  test("given a log with a file, when used, then lines are in it at once", () => {
    const root = temporaryRoot();
    const log = createLog({ clock: virtualClock(), to: { path: `${root}/town.log` } });
    log.child({ a: 1 }).info({}, "hello");
    expect(JSON.parse(readFileSync(`${root}/town.log`, "utf8"))).toMatchObject({ a: 1, msg: "hello" });
  });
});
