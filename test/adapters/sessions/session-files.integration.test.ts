import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SessionFiles } from "../../../src/adapters/sessions/session-files.ts";

let home: string;
let files: SessionFiles;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "town-files-"));
  files = new SessionFiles(join(home, "state"));
  await files.prepare();
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const record = { name: "a", namespace: "n", agent: "a", role: "r", generation: 2, command: "c", startedAtMs: 1 };

test("given a record, when saved and read, then it is the same, for nobody else to read", async () => {
  const full = { ...record, bead: "b", leader: { pid: 1, startTime: "2", bootId: "3" } };
  await files.saveRecord(full);
  expect(await files.record("a")).toEqual(full);
  expect(statSync(join(home, "state", "records", "a.json")).mode & 0o777).toBe(0o600);
  expect(await files.record("b")).toBeUndefined();
});

test.each([
  { because: "it is newer", text: '{"format":9,"name":"a","generation":1}', says: "its format is 9" },
  { because: "it is torn", text: '{"format":1,"na', says: "not JSON" },
  { because: "it is no object", text: "null", says: "no format" },
  { because: "it names nothing", text: '{"format":1}', says: "lacks a name" },
])("given a record that cannot be read, when read, then the error says why: $because", async ({ text, says }) => {
  writeFileSync(join(home, "state", "records", "a.json"), text);
  await expect(files.record("a")).rejects.toMatchObject({
    reason: "SessionRecordUnreadable",
    message: expect.stringContaining(says) as unknown,
  });
});

test.each([
  ["7\n", 7],
  ["", undefined],
  ["7", undefined],
  ["x\n", undefined],
])("given the exit file %j, when read, then the code is %s", (text, code) => {
  writeFileSync(files.exitPath("a", 2), text);
  expect(files.exitCode("a", 2)).toBe(code);
  expect(files.exitCode("a", 3)).toBeUndefined();
});

test("given a newer record of the name, when the older is forgotten, then the newer stays", async () => {
  await files.saveRecord(record);
  await files.forget("a", 1);
  expect(await files.record("a")).toEqual(record);
  await files.forget("a", 2);
  expect(await files.record("a")).toBeUndefined();
});

test("given logs of many generations, when old ones are removed, then the newest stay, rotated ones included", async () => {
  for (const name of ["a.1.log", "a.9.log", "a.10.log", "a.10.log.1", "ab.1.log", "other"])
    writeFileSync(join(home, "state", "logs", name), "");
  await files.removeOldLogs("a", 2);
  expect(readdirSync(join(home, "state", "logs")).sort()).toEqual([
    "a.10.log",
    "a.10.log.1",
    "a.9.log",
    "ab.1.log",
    "other",
  ]);
});

test("given scratch of a process that is gone, when scratch is made, then it is removed and that of the living stays", async () => {
  const other = new SessionFiles(join(home, "state"));
  await files.makeScratch();
  const gone = new SessionFiles(join(home, "state"));
  Object.assign(gone, { scratch: join(home, "state", "scratch-4194303-1") });
  await gone.makeScratch();
  await other.makeScratch();
  expect(
    readdirSync(join(home, "state"))
      .filter((name) => name.startsWith("scratch-"))
      .sort(),
  ).toEqual([files.scratch, other.scratch].map((path) => path.slice(path.lastIndexOf("/") + 1)).sort());
});
