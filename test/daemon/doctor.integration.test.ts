import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runDoctor } from "../../src/daemon/doctor.ts";
import type { Finding } from "../../src/daemon/finding.ts";
import { TownSite } from "../kinds/town-site.ts";

const builtinDirectory = fileURLToPath(new URL("../../manifests/builtin", import.meta.url));

describe("town doctor", () => {
  let site: TownSite;

  beforeEach(async () => {
    site = await TownSite.withRig();
  });

  afterEach(() => site.end());

  const state = (...parts: readonly string[]) => join(site.ports.layout.state, ...parts);

  async function examined(env: Readonly<Record<string, string>> = {}) {
    let text = "";
    const at = { cwd: site.town, json: true, env: { PATH: "", ...env }, builtinDirectory };
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

  it("given agent programs on the PATH, when examined, then version and login are told, and a program that a pool needs is missed", async () => {
    mkdirSync(site.path("bin"));
    const program = (name: string, script: string, mode = 0o755): void =>
      writeFileSync(site.path("bin", name), `#!/bin/sh\n${script}\n`, { mode });
    program("claude", 'case "$1" in --version) echo "2.1.197 (Claude Code)" ;; *) [ "$1 $2" = "auth status" ] ;; esac');
    program("codex", 'case "$1" in --version) echo codex-cli 0.999.0 ;; *) exit 1 ;; esac');
    program("opencode", "exit 1");
    program("gemini", "echo 0.61.0", 0o644);
    site.commit(site.town, {
      "manifests/pool.yaml":
        "apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata: { name: crew, namespace: api }\nspec: { role: crew, provider: amp, replicas: 1 }\n",
    });
    const { findings } = await examined({ PATH: `${site.path("bin")}:/usr/bin:/bin`, HOME: site.path("home") });
    const agents = findings.filter(({ check }) => check.startsWith("agent"));
    expect(agents).toMatchObject([
      { check: "agent amp", state: "Warning", fix: "install it: npm install -g @sourcegraph/amp" },
      { check: "agent claude", state: "Ok", message: `2.1.197 at ${site.path("bin/claude")}` },
      { check: "agent codex", state: "Warning", fix: expect.stringMatching("town provider test codex$") as string },
      { check: "agent codex", state: "Warning", message: "nobody is logged in", fix: "codex login" },
      { check: "agent opencode", state: "Warning", message: expect.stringContaining("does not tell") as string },
    ]);
  });
});
