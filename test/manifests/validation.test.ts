import { describe, expect, test } from "vitest";
import { diffRevisions, revisionRange, validateOnDisk, validationText } from "../../src/manifests/validation.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { virtualClock } from "../turn.ts";
import { SAMPLE_KINDS, poolText, rigText } from "./sample-kinds.ts";
import { writerSite } from "./writer-site.ts";

const options = {
  kinds: SAMPLE_KINDS,
  check: {
    rules: [{ from: "AgentPool", path: "role", to: "Role", namespace: "Cluster" } as const],
    known: [{ kind: "Role", name: "crew" }],
    namespaceKind: "Rig",
  },
};

async function site() {
  const clock = virtualClock();
  const files = new MemoryDisk({ clock }).mount();
  await files.makeDirectory("/town");
  return { ...(await writerSite({ git: new MemoryGit({ clock, files }), files, clock, root: "/town" })), clock };
}

describe("validateOnDisk", () => {
  test("given valid manifests, when validated, then the code is 0", async () => {
    const town = await site();
    await town.save(
      "manifests/a.yaml",
      `${rigText("api")}---\n${poolText("crew").replace("replicas: 1", "replicas: ${local:slots}")}`,
    );
    await town.save("town.local.yaml", "slots: 2\n");
    const validation = await validateOnDisk(town.files, town.clock, "/town", options);
    expect([validation.exitCode, validationText(validation)]).toEqual([0, "2 objects in 1 file: all valid"]);
  });

  test("given errors, when validated, then each has its line and the code is 1; with paths only those are told", async () => {
    const town = await site();
    await town.save("manifests/a.yaml", rigText("api").replace("path:", "paht:"));
    await town.save("manifests/x/b.yaml", poolText("crew").replace("role: crew", "role: crwe"));
    const reading = validateOnDisk(town.files, town.clock, "/town", options);
    await town.clock.advance(50);
    const validation = await reading;
    expect(validation.exitCode).toBe(1);
    expect(validationText(validation).split("\n")).toEqual([
      "manifests/a.yaml:6:3: `spec.paht` is not a field of Rig. Did you mean `path`?",
      "manifests/x/b.yaml:7:9: `spec.role` names Role 'crwe', which does not exist. Did you mean `crew`?",
      "1 object in 2 files usable, 2 errors",
    ]);
    const part = validateOnDisk(town.files, town.clock, "/town", { ...options, paths: ["manifests/x/"] });
    await town.clock.advance(50);
    expect((await part).problems).toHaveLength(1);
  });

  test("given no manifests, when validated, then it says so", async () => {
    const town = await site();
    await expect(validateOnDisk(town.files, town.clock, "/town", options)).rejects.toMatchObject({
      reason: "ManifestsMissing",
    });
  });
});

describe("diffRevisions", () => {
  test("given two revisions and the disk, when compared, then codes and text fit", async () => {
    const town = await site();
    const disk = { files: town.files, clock: town.clock, root: "/town" };
    const first = await town.commit({ "manifests/a.yaml": poolText("crew") });
    const second = await town.commit({ "manifests/a.yaml": poolText("crew", 2) });
    const between = await diffRevisions(town.repository, first, second, disk, options);
    expect(between.exitCode).toBe(1);
    expect(between.text).toContain("-  replicas: 1\n+  replicas: 2");
    expect(await diffRevisions(town.repository, second, undefined, disk, options)).toMatchObject({
      exitCode: 0,
      text: "",
    });
    await town.save("manifests/a.yaml", poolText("crew", 3));
    expect((await diffRevisions(town.repository, second, undefined, disk, options)).text).toContain("+  replicas: 3");
    await expect(diffRevisions(town.repository, "nope", undefined, disk, options)).rejects.toMatchObject({
      reason: "RevisionMissing",
    });
  });

  test.each([
    ["a..b", { from: "a", to: "b" }],
    ["a...b", { from: "a", to: "b" }],
    ["a..", { from: "a", to: undefined }],
    ["a", { from: "a", to: undefined }],
    ["..b", { from: "HEAD", to: "b" }],
  ])("given %s, when read, then it is that range", (text, range) => {
    expect(revisionRange(text)).toEqual(range);
  });
});
