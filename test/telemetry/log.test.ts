import { describe, expect, test } from "vitest";
import { AdapterError, TownError } from "../../src/errors/town-error.ts";
import { createLog, type LogOptions } from "../../src/telemetry/log.ts";
import { virtualClock } from "../turn.ts";

function written(options: Partial<LogOptions> = {}) {
  const clock = virtualClock();
  const lines: string[] = [];
  const log = createLog({ clock, to: { write: (line) => void lines.push(line) }, ...options });
  return { clock, log, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe("createLog", () => {
  test("given a message with fields, when logged, then it is one line with the clock's time, level and fields, and nothing of the machine", async () => {
    const { clock, log, lines, records } = written();
    await clock.advance(1_500);
    log.info({ loop: "rigs", text: "two\nlines" }, "action executed");
    expect(lines[0]?.endsWith("}\n")).toBe(true);
    expect(lines[0]?.split("\n")).toHaveLength(2);
    expect(records()).toEqual([
      { level: "info", time: "2026-01-01T00:00:01.500Z", loop: "rigs", text: "two\nlines", msg: "action executed" },
    ]);
  });

  test("given children, when they log, then their fields are added to each line", () => {
    const { log, records } = written();
    log.child({ controller: "rigs" }).child({ name: "api" }).warn({ n: 1 }, "m");
    expect(records()[0]).toMatchObject({ level: "warn", controller: "rigs", name: "api", n: 1 });
  });

  test("given the default level, when debug is logged, then nothing is written; at debug it is", () => {
    const quiet = written();
    quiet.log.debug({}, "m");
    expect(quiet.lines).toEqual([]);
    const chatty = written({ level: "debug" });
    chatty.log.debug({}, "m");
    chatty.log.child({}).error({}, "m");
    expect(chatty.lines).toHaveLength(2);
  });

  test("given an error with causes, when logged, then reason, hint and the whole chain are there", () => {
    const { log, records } = written();
    const inner = new AdapterError("TmuxAway", "no server", { exitCode: 1 });
    log.error(
      { err: new TownError("CannotStart", "cannot start session", { hint: "Run town up.", cause: inner }) },
      "m",
    );
    expect(records()[0]?.["err"]).toMatchObject({
      reason: "CannotStart",
      hint: "Run town up.",
      message: "cannot start session",
      cause: { reason: "TmuxAway", exitCode: 1, message: "no server" },
    });
    expect(records()[0]).toHaveProperty("err.stack", expect.stringContaining("log.test.ts"));
  });

  test("given thrown things that are no errors, when logged, then they are shown as they are", () => {
    const { log, records } = written();
    log.error({ err: "text" }, "m");
    log.error({ err: undefined }, "m");
    expect(records().map((record) => record["err"])).toEqual(["text", undefined]);
  });

  test("given secrets in fields, when logged, then their values are not written", () => {
    const { log, lines } = written();
    log.info(
      {
        token: "S3CRET",
        session: { token: "S3CRET", name: "toast" },
        env: { KEY: "S3CRET" },
        start: { env: { KEY: "S3CRET" } },
        headers: { authorization: "S3CRET" },
        request: { headers: { authorization: "S3CRET" } },
        password: "S3CRET",
      },
      "m",
    );
    log.child({ token: "S3CRET" }).info({}, "m");
    expect(lines.join("")).not.toContain("S3CRET");
    expect(lines.join("")).toContain("toast");
  });

  test.each([
    [
      "a URL with credentials",
      "cannot clone https://bot:S3CRET@github.com/a/b.git",
      "https://[redacted]@github.com/a/b.git",
    ],
    ["a bearer token", "401 for Authorization: Bearer S3CRETS3CRET", "Bearer [redacted]"],
    ["an API key", "bad key sk-ant-api03-S3CRETS3CRETS3CRET given", "bad key [redacted] given"],
    ["a GitHub token", "ghp_S3CRETS3CRETS3CRETS3CRET", "[redacted]"],
  ])("given %s inside a text or an error, when logged, then it is not written and the line is still JSON", (_because, text, clean) => {
    const { log, lines, records } = written();
    log.info({ text, err: new Error(text) }, "m");
    expect(lines.join("")).not.toContain("S3CRET");
    expect(records()[0]?.["text"]).toContain(clean);
  });

  test("given ordinary texts, when logged, then nothing is taken away", () => {
    const { log, records } = written();
    const text =
      "git@github.com:a/b.git https://github.com/a/b?x=1 user@host task-1 sk-1 a1b2c3d4e5f60718293a4b5c6d7e8f9001122334 http://127.0.0.1:8080/path@v2";
    log.info({ text }, "m");
    expect(records()[0]?.["text"]).toBe(text);
  });

  test("given fields that refer to themselves, when logged, then the line is written", () => {
    const { log, lines } = written();
    const loop: Record<string, unknown> = { name: "a" };
    loop["self"] = loop;
    log.info({ loop }, "m");
    expect(lines).toHaveLength(1);
  });
});
