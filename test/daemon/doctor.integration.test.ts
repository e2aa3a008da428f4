import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runDoctor } from "../../src/daemon/doctor.ts";
import type { Finding } from "../../src/daemon/finding.ts";
import { TownSite } from "../kinds/town-site.ts";

describe("town doctor", () => {
  let site: TownSite;

  beforeEach(async () => {
    site = await TownSite.make();
    await site.declare("Rig", undefined, "api", { path: site.repository("project") });
    await site.settle("rigs", { kind: "Rig", name: "api" });
  });

  afterEach(() => site.end());

  const state = (...parts: readonly string[]) => join(site.ports.layout.state, ...parts);

  async function examined(env: Readonly<Record<string, string>> = {}) {
    let text = "";
    const at = { cwd: site.town, json: true, env: { PATH: "", ...env } };
    const exitCode = await runDoctor(at, site.git, { out: (more) => (text += more) });
    const findings = JSON.parse(text) as readonly Finding[];
    return { exitCode, findings, of: (check: string) => findings.filter((finding) => finding.check === check) };
  }

  it("given a sound town that is not up, when examined, then nothing is an error and every warning has its fix", async () => {
    const { exitCode, findings, of } = await examined();
    expect(exitCode).toBe(0);
    expect(findings.filter(({ state: found }) => found === "Error")).toEqual([]);
    expect(of("controller")).toMatchObject([{ state: "Warning", fix: "start it: town up -d" }]);
    expect(of("rig api")).toMatchObject([{ state: "Ok" }]);
    expect(of("locks")).toMatchObject([{ state: "Ok" }]);
    expect(of("agents")).toMatchObject([{ state: "Warning" }]);
    for (const finding of findings)
      if (finding.state === "Warning" && finding.check !== "isolation") expect(finding.fix).toBeDefined();
  });

  it("given what can go wrong, when examined, then each is found with its place and its fix", async () => {
    mkdirSync(state("secrets"), { recursive: true, mode: 0o755 });
    writeFileSync(state("secrets", "key"), "x", { mode: 0o644 });
    writeFileSync(state("endpoint.json"), "{ damaged");
    writeFileSync(join(site.town, ".git/index.lock"), "");
    const old = Date.now() / 1_000 - 3_600;
    utimesSync(join(site.town, ".git/index.lock"), old, old);
    const clone = site.ports.layout.clone("api");
    site.run(clone, "update-ref", "refs/town/rescue/api/toast/1", "origin/main");
    site.run(site.path("project"), "config", "town.store", "/elsewhere");
    mkdirSync(state("rigs", "removed", "web-1.git"), { recursive: true });
    const { exitCode, of } = await examined();
    expect(exitCode).toBe(1);
    expect(of("secrets")).toMatchObject([
      { state: "Error", fix: `chmod 700 ${state("secrets")}` },
      { state: "Error", fix: `chmod 600 ${state("secrets", "key")}` },
    ]);
    expect(of("controller")).toMatchObject([{ state: "Error" }]);
    expect(of("locks")).toMatchObject([{ state: "Warning", fix: expect.stringContaining("index.lock") as string }]);
    expect(of("rescued work")[0]?.fix).toContain("refs/town/rescue/api/toast/1");
    expect(of("rig api")[0]?.fix).toContain("--unset town.store");
    expect(of("removed rigs")[0]?.message).toContain("web-1.git");
  });

  it("given a lock that is young, when examined, then it may be in use and is no finding", async () => {
    writeFileSync(join(site.town, ".git/index.lock"), "");
    expect((await examined()).of("locks")).toMatchObject([{ state: "Ok" }]);
  });

  it("given a clock that was put back, when examined, then it is said", async () => {
    const ahead = Date.now() / 1_000 + 7_200;
    utimesSync(state("graph.json"), ahead, ahead);
    expect((await examined()).of("clock")).toMatchObject([{ state: "Warning" }]);
  });

  it("given agent programs on the PATH, when examined, then they are named", async () => {
    mkdirSync(site.path("bin"));
    for (const name of ["codex", "claude"]) writeFileSync(site.path("bin", name), "", { mode: 0o755 });
    writeFileSync(site.path("bin", "gemini"), "", { mode: 0o644 });
    expect((await examined({ PATH: site.path("bin") })).of("agents")).toMatchObject([
      { state: "Ok", message: "claude, codex" },
    ]);
  });
});
