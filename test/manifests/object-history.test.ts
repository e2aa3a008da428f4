import { describe, expect, test } from "vitest";
import { objectHistory } from "../../src/manifests/object-history.ts";
import { ParseCache } from "../../src/manifests/parse-cache.ts";
import { undoRequest } from "../../src/manifests/undo.ts";
import type { ObjectKey } from "../../src/resource/object-meta.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { virtualClock } from "../turn.ts";
import { SAMPLE_KINDS, poolText, rigText } from "./sample-kinds.ts";
import { ADA, MAIN, creation, deletion, edit, pool, writerSite, type WriterSite } from "./writer-site.ts";

async function site() {
  const clock = virtualClock();
  const files = new MemoryDisk({ clock }).mount();
  await files.makeDirectory("/town");
  return writerSite({ git: new MemoryGit({ clock, files }), files, clock, root: "/town" });
}

async function history(town: WriterSite, key: ObjectKey, limit = 100) {
  const from = (await town.repository.resolve(MAIN)) ?? "";
  const { entries } = await objectHistory(key, {
    objects: town.repository.objects,
    from,
    directory: "manifests",
    context: { kinds: SAMPLE_KINDS, locals: new Map() },
    cache: new ParseCache(),
    limit,
  });
  return entries.map((entry) => `${entry.change} ${entry.path} ${entry.subject}`);
}

async function undo(town: WriterSite, key: ObjectKey): Promise<void> {
  await town.writer().submit(undoRequest({ objects: town.repository.objects, key, caller: ADA, dryRun: false }));
}

describe("objectHistory", () => {
  test("given changes, moves, comments and others' commits, when asked, then the object's own changes come, newest first", async () => {
    const town = await site();
    await town.commit({ "manifests/all.yaml": `${poolText("crew")}---\n${poolText("other")}`, "README.md": "x" });
    await town.writer().write(await edit(town, pool("crew"), { replicas: 2 }));
    await town.writer().write(await edit(town, pool("other"), { replicas: 7 }));
    await town.commit({
      "manifests/all.yaml": poolText("other", 7),
      "manifests/crew.yaml": `# moved\n${poolText("crew", 2)}`,
    });
    await town.commit({ "README.md": "y" });
    await town.writer().write(await edit(town, pool("crew"), { replicas: 3 }));
    await town.writer().write(await deletion(town, pool("crew")));
    expect(await history(town, pool("crew"))).toEqual([
      "Deleted manifests/crew.yaml agentpool api/crew: deleted",
      "Updated manifests/crew.yaml agentpool api/crew: spec.replicas 2 → 3",
      "Updated manifests/all.yaml agentpool api/crew: spec.replicas 1 → 2",
      "Created manifests/all.yaml by hand",
    ]);
    expect(await history(town, pool("crew"), 1)).toHaveLength(1);
    expect(await history(town, pool("never"))).toEqual([]);
  });

  test("given a version that was broken for a while, when asked, then it is passed over", async () => {
    const town = await site();
    await town.commit({ "manifests/a.yaml": poolText("crew") });
    await town.commit({ "manifests/a.yaml": poolText("crew").replace("replicas: 1", "replicas: [") });
    await town.commit({ "manifests/a.yaml": poolText("crew", 2) });
    expect(await history(town, pool("crew"))).toEqual([
      "Updated manifests/a.yaml by hand",
      "Created manifests/a.yaml by hand",
    ]);
  });
});

describe("undo", () => {
  const text = `# The crew.\n${poolText("crew").replace("replicas: 1", "replicas: 1 # one")}`;

  test("given an update, when undone, then the former document is back with its comments, and undone again it is redone", async () => {
    const town = await site();
    await town.commit({ "manifests/a.yaml": `${rigText("api")}---\n${text}` });
    await town.commit({ "manifests/a.yaml": `${rigText("api")}---\n${poolText("crew", 4)}` });
    await undo(town, pool("crew"));
    expect(await town.tip("manifests/a.yaml")).toBe(`${rigText("api")}---\n${text}`);
    const [commit] = (await town.repository.log(undefined, MAIN, 1)).toReversed();
    expect(commit?.message).toMatch(/^agentpool api\/crew: undo "by hand" \([0-9a-f]{12}\)/);
    await undo(town, pool("crew"));
    expect(await town.tip("manifests/a.yaml")).toBe(`${rigText("api")}---\n${poolText("crew", 4)}`);
    expect(await town.repository.worktreeStatus("/town")).toMatchObject({ changed: [], untracked: [] });
  });

  test("given an object whose file moved since, when undone, then it is changed where it is now", async () => {
    const town = await site();
    await town.commit({ "manifests/a.yaml": poolText("crew") });
    await town.commit({ "manifests/a.yaml": poolText("crew", 2) });
    await town.commit({
      "manifests/a.yaml": null,
      "manifests/x/b.yaml": `${poolText("crew", 2)}---\n${poolText("y")}`,
    });
    await undo(town, pool("crew"));
    expect(await town.tip("manifests/x/b.yaml")).toBe(`${poolText("crew")}---\n${poolText("y")}`);
  });

  test("given a deletion, when undone, then the object is back; given a creation, then it goes", async () => {
    const town = await site();
    await town.commit({ "manifests/a.yaml": `${text}---\n${poolText("other")}` });
    await town.writer().write(await deletion(town, pool("crew")));
    await undo(town, pool("crew"));
    expect(await town.tip("manifests/a.yaml")).toContain(text);
    await town.writer().write(creation(rigText("web")));
    await undo(town, { kind: "Rig", name: "web" });
    expect(await town.tip("manifests/rigs/web.yaml")).toBeUndefined();
    await undo(town, { kind: "Rig", name: "web" });
    expect(await town.tip("manifests/rigs/web.yaml")).toBe(rigText("web"));
  });

  test("given a commit, when put back to it, then the document is as it was then; without one there, it is refused", async () => {
    const town = await site();
    const empty = await town.commit({ "README.md": "x" });
    const first = await town.commit({ "manifests/a.yaml": text });
    await town.commit({ "manifests/a.yaml": poolText("crew", 2) });
    await town.commit({ "manifests/a.yaml": poolText("crew", 3) });
    const request = (to: string) =>
      undoRequest({ objects: town.repository.objects, key: pool("crew"), caller: ADA, dryRun: false, to });
    await town.writer().submit(request(first));
    expect(await town.tip("manifests/a.yaml")).toBe(text);
    expect(await town.writer().submit(request(first))).toBeUndefined();
    await expect(town.writer().submit(request(empty))).rejects.toMatchObject({ code: 409 });
  });

  test("given nothing to undo or a former document that is not valid now, when undone, then it is refused", async () => {
    const town = await site();
    await town.commit({ "manifests/a.yaml": poolText("crew").replace("role: crew", "rolle: crew") });
    await town.commit({ "manifests/a.yaml": poolText("crew") });
    await expect(undo(town, pool("crew"))).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining("`spec.rolle` is not a field"),
    });
    await expect(undo(town, pool("nobody"))).rejects.toMatchObject({ code: 409 });
  });
});
