import { describe, expect, it } from "vitest";
import { secretVerbs } from "../../src/daemon/secret-verbs.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";

function site() {
  const files = new MemoryDisk({ clock: { now: () => 0 } as never }).mount();
  const pool = {
    kind: "AgentPool",
    metadata: { namespace: "api", name: "crew" },
    spec: { env: [{ name: "KEY", valueFrom: { secretRef: { name: "key" } } }] },
  };
  const store = { list: (kind: string) => (kind === "AgentPool" ? [pool] : []) } as unknown as ObjectStore;
  const layout = { state: "/state" } as Parameters<typeof secretVerbs>[0]["layout"];
  const verbs = new Map(secretVerbs({ files, layout, store, now: () => 0 }).map((verb) => [verb.name, verb]));
  const call = (name: string, args: Readonly<Record<string, unknown>>) => {
    const verb = verbs.get(name);
    if (verb === undefined) throw new Error(`no verb ${name}`);
    return verb.run({ caller: { name: "overseer", role: "admin" }, args, signal: new AbortController().signal });
  };
  return { files, verbs, call };
}

describe("secrets", () => {
  it("given a value with its final newline, when set, then only this user can read it, and no answer shows it", async () => {
    const { files, call } = site();
    const set = await call("secret set", { name: "key", value: "s3cret\n" });
    expect(await files.readText("/state/secrets/key")).toBe("s3cret");
    expect((await files.stat("/state/secrets/key"))?.mode).toBe(0o600);
    const list = await call("secret list", {});
    expect(JSON.stringify([set, list])).not.toContain("s3cret");
    expect(list.text).toContain("api/crew");
  });

  it("given a secret that is used, when deleted, then it is gone and who refers to it is named", async () => {
    const { files, call } = site();
    await call("secret set", { name: "key", value: "x" });
    const answer = await call("secret delete", { name: "key" });
    expect(answer.errorText).toContain("crew");
    expect(await files.stat("/state/secrets/key")).toBeUndefined();
    await expect(call("secret delete", { name: "key" })).rejects.toMatchObject({ code: 404 });
  });

  it.each([
    "../tokens/overseer",
    "Key",
    "",
    "a/b",
  ])("given the name '%s', when set, then it is refused", async (name) => {
    await expect(site().call("secret set", { name, value: "x" })).rejects.toMatchObject({ code: 400 });
  });

  it("given an agent, when it asks, then no verb about secrets is for it", () => {
    expect([...site().verbs.values()].map((verb) => verb.needs)).toEqual(["admin", "admin", "admin"]);
  });
});
