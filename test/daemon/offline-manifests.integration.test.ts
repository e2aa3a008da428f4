import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { offlineDiff, offlineValidate } from "../../src/daemon/offline-manifests.ts";
import { realSite, type RealSite } from "../adapters/git/git-site.ts";

const RIG = "apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata:\n  name: api\nspec:\n  path: /repos/api\n";
const POOL =
  "apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: crew\n  namespace: api\nspec:\n  role: crew\n  provider: shell\n  replicas: 1\n";

describe("manifests without a daemon", () => {
  let real: RealSite;
  let town: string;
  beforeEach(() => {
    real = realSite();
    town = join(real.root, "town");
    real.sh(real.root, "init", "-q", "-b", "main", town);
    save("manifests/rigs/api.yaml", RIG);
    save("manifests/api/crew.yaml", POOL);
    real.sh(town, "add", "-A");
    real.sh(town, "commit", "-qm", "first");
  });
  afterEach(() => real.close());

  function save(path: string, text: string): void {
    mkdirSync(dirname(join(town, path)), { recursive: true });
    writeFileSync(join(town, path), text);
  }
  const ports = () => ({
    git: real.git,
    files: createNodeFiles(),
    clock: systemClock,
    builtinDirectory: join(import.meta.dirname, "../../manifests/builtin"),
  });
  async function validate(
    cwd: string,
    paths: readonly string[] = [],
    json = false,
  ): Promise<readonly [number, string]> {
    let text = "";
    const code = await offlineValidate({ cwd, paths, json, out: (more) => (text += more) }, ports());
    return [code, text];
  }
  async function diff(range: string): Promise<readonly [number, string]> {
    let text = "";
    const code = await offlineDiff({ cwd: join(town, "manifests"), range, out: (more) => (text += more) }, ports());
    return [code, text];
  }

  test("given a valid town, when validated from anywhere in it, then the code is 0, with the program's own roles known", async () => {
    for (const cwd of [town, join(town, "manifests/api")])
      expect(await validate(cwd)).toEqual([0, "2 objects in 2 files: all valid\n"]);
  });

  test("given errors, when validated, then line and fix are told and the code is 1; with a path only those below it", async () => {
    save("manifests/api/crew.yaml", POOL.replace("role: crew", "role: crwe"));
    const [code, text] = await validate(town);
    expect(code).toBe(1);
    expect(text).toContain(
      "manifests/api/crew.yaml:7:9: `spec.role` names Role 'crwe', which does not exist. Did you mean `crew`?",
    );
    expect((await validate(join(town, "manifests"), ["rigs"]))[0]).toBe(0);
    expect((await validate(join(town, "manifests"), ["api/crew.yaml"]))[0]).toBe(1);
    expect(JSON.parse((await validate(town, [], true))[1])).toMatchObject({
      problems: [{ path: "manifests/api/crew.yaml", line: 7, reason: "ReferenceDangling" }],
    });
  });

  test("given a path outside a town, when validated, then it is read by itself; a missing one is refused", async () => {
    const other = join(real.root, "loose");
    mkdirSync(other);
    writeFileSync(join(other, "r.yaml"), RIG.replace("path:", "paht:"));
    expect((await validate(town, [other]))[1]).toContain("r.yaml:6:3: `spec.paht` is not a field of Rig");
    expect((await validate(real.root, [join(other, "r.yaml")]))[0]).toBe(1);
    await expect(validate(town, ["nowhere"])).rejects.toMatchObject({ reason: "PathMissing" });
    await expect(validate(real.root)).rejects.toMatchObject({ reason: "ManifestsMissing" });
  });

  test("given commits and unsaved work, when compared, then the codes are 0, 1 and 2", async () => {
    save("manifests/api/crew.yaml", POOL.replace("replicas: 1", "replicas: 3"));
    real.sh(town, "commit", "-qam", "scale");
    expect(await diff("main~1..main")).toEqual([1, expect.stringContaining("-  replicas: 1\n+  replicas: 3\n")]);
    expect(await diff("main..main")).toEqual([0, ""]);
    expect(await diff("main")).toEqual([0, ""]);
    save("manifests/api/crew.yaml", "kind: [");
    expect((await diff("main.."))[0]).toBe(2);
    await expect(diff("nope..main")).rejects.toMatchObject({ reason: "RevisionMissing" });
  });
});
