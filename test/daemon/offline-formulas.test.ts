import { beforeEach, describe, expect, test } from "vitest";
import { runFormula } from "../../src/daemon/offline-formulas.ts";
import { graphWorld } from "../graph/graph-world.ts";

const RELEASE = `formula = "release"
description = """
Put out a release.
More about it."""
[vars.version]
required = true
pattern = '^\\d+$'
[[steps]]
id = "build"
title = "Build {{version}}"
[[steps]]
id = "checks"
title = "Check"
needs = ["build"]
[[steps.children]]
id = "one"
title = "A check whose title is so long that it cannot be shown whole on a line of eighty columns"
[[steps]]
id = "ship"
title = "Ship"
needs = ["checks"]
[steps.gate]
type = "human"
`;
const WORK = 'formula = "work"\ndescription = "Built in."\n[[steps]]\nid = "a"\ntitle = "A"\n';

describe("town formula", () => {
  let files: Record<string, string>;
  beforeEach(() => {
    files = { "/town/formulas/release.formula.toml": RELEASE, "/builtin/work.formula.toml": WORK };
  });

  async function run(action: string, args: readonly string[] = [], more: { vars?: string[]; output?: string } = {}) {
    const { disk, git } = await graphWorld();
    const mount = disk.mount();
    for (const [path, text] of Object.entries(files)) {
      await mount.makeDirectory(path.slice(0, path.lastIndexOf("/")));
      await mount.writeAtomic(path, text);
    }
    const said = { out: "", err: "" };
    const code = await runFormula(
      {
        action,
        args,
        vars: more.vars ?? [],
        output: more.output,
        directory: "/town",
        columns: 80,
        out: (text) => (said.out += text),
        err: (text) => (said.err += text),
      },
      { git, files: mount, builtinDirectory: "/builtin" },
    );
    return { code, ...said };
  }

  test("given formulas in two tiers, when listed, then each is one line of at most 80 columns", async () => {
    const { out, code } = await run("list");
    expect(code).toBe(0);
    expect(out).toBe(
      [
        "NAME     TYPE      TIER      STEPS  DESCRIPTION",
        "release  workflow  town      4      Put out a release.",
        "work     workflow  built-in  1      Built in.",
        "",
      ].join("\n"),
    );
  });

  test("given a formula that hides one that is built in, when shown, then both files are named, with the tree of its steps", async () => {
    files["/builtin/release.toml"] = RELEASE;
    const { out, code } = await run("show", ["release"]);
    expect(code).toBe(0);
    expect(out.split("\n").every((line) => line.length <= 80)).toBe(true);
    expect(out).toContain("File: /town/formulas/release.formula.toml (town)\n      instead of /builtin/release.toml\n");
    expect(out).toContain("  version (required; matches ^\\d+$)\n");
    expect(out).toMatch(
      / {2}build {2}Build \{\{version\}\}\n {2}checks {2}Check {2}← build\n {4}one {2}A check .*…\n {2}ship {2}Ship {2}← checks; gate human/,
    );
  });

  test("given values, when cooked, then the steps are printed, and as json all of it", async () => {
    expect((await run("cook", ["release"], { vars: ["version=7"] })).out).toContain("build  Build 7");
    const { out } = await run("cook", ["release"], { vars: ["version=7"], output: "json" });
    expect(JSON.parse(out)).toMatchObject({
      formula: "release",
      steps: [{ id: "build", title: "Build 7" }, {}, {}, {}],
    });
  });

  test("given no value, or a wrong one, when cooked, then it says so at its place and ends with 1", async () => {
    const none = await run("cook", ["release"]);
    expect(none).toMatchObject({ code: 1, out: "" });
    expect(none.err).toBe(
      "/town/formulas/release.formula.toml:5:1: variable 'version' is required. give it with --var version=….\n".replace(
        "….\n",
        "…\n",
      ),
    );
    expect((await run("cook", ["release"], { vars: ["version=x"] })).err).toContain(
      "release.formula.toml:7:1: variable 'version' must match",
    );
  });

  test("given a broken formula, when validated, then its problems are told and the exit code is 1; a file by itself, too", async () => {
    expect(await run("validate")).toMatchObject({ code: 0, out: "2 formulas: 0 errors, 0 warnings\n" });
    files["/town/formulas/bad.toml"] = 'formula = "bad"\n[[steps]]\nid = "a"\ntitle = "A"\nneeds = ["x"]\nneds = []\n';
    const all = await run("validate");
    expect(all).toMatchObject({ code: 1, out: "3 formulas: 1 error, 1 warning\n" });
    expect(all.err.split("\n")).toHaveLength(3);
    expect(await run("validate", ["formulas/bad.toml"])).toMatchObject({
      code: 1,
      out: "1 formula: 1 error, 1 warning\n",
    });
    expect(await run("validate", ["release"])).toMatchObject({ code: 0, out: "1 formula: 0 errors, 0 warnings\n" });
  });

  test("given a name with a typo, or a file that is not there, when asked for, then it says what was meant", async () => {
    await expect(run("show", ["relaese"])).rejects.toMatchObject({
      reason: "NotFound",
      hint: "Did you mean `release`?",
    });
    await expect(run("validate", ["formulas/no.toml"])).rejects.toMatchObject({ reason: "PathMissing" });
    await expect(run("cook", ["release"], { vars: ["version"] })).rejects.toMatchObject({ reason: "UsageError" });
  });
});
