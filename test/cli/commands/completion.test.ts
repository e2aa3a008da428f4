import { describe, expect, it } from "vitest";
import { CliError } from "../../../src/cli/exit-codes.ts";
import { runTown } from "../run-town.ts";
import { sampleTown } from "../sample-town.ts";

async function complete(...words: readonly string[]): Promise<readonly string[]> {
  return (await runTown(sampleTown(), ["__complete", ...words])).out.split("\n").filter((line) => line !== "");
}

describe("completion", () => {
  it("given the start of a command, when completed, then the commands with it come", async () => {
    expect(await complete("de")).toEqual(["delete", "demo", "describe"]);
    expect(await complete("mail", "")).toEqual(["ack", "archive", "inbox", "read", "reply", "send", "thread"]);
    expect(await complete("")).toContain("get");
    expect(await complete("")).not.toContain("__complete");
  });

  it("given a command on objects, when completed, then types come, then names", async () => {
    expect(await complete("get", "ag")).toEqual(["ag", "agentpools", "agents"]);
    expect(await complete("get", "pools", "")).toEqual(["crew", "polecats"]);
    expect(await complete("describe", "pool", "c")).toEqual(["crew"]);
    expect(await complete("peek", "t")).toEqual(["toast", "toast"]);
  });

  it("given a dash, when completed, then the command's flags come", async () => {
    expect(await complete("scale", "--")).toEqual(expect.arrayContaining(["--replicas", "--namespace"]));
  });

  it("given no daemon, when completed, then it is quiet", async () => {
    const town = sampleTown();
    const broken = { ...town.api, send: () => Promise.reject(new CliError(6, "ServerGone", "gone")) };
    Object.defineProperty(town, "api", { value: broken });
    expect(await runTown(town, ["__complete", "get", ""])).toEqual({ code: 0, out: "", err: "" });
  });

  it("given a shell, when asked, then its script calls back; another one is a usage error", async () => {
    for (const shell of ["bash", "zsh", "fish"])
      expect((await runTown(sampleTown(), `completion ${shell}`)).out).toContain("town __complete");
    expect(await runTown(sampleTown(), "completion powershell")).toMatchObject({ code: 2 });
  });
});
