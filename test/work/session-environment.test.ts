import { describe, expect, it } from "vitest";
import { resolveEnvironment } from "../../src/work/session-environment.ts";
import { environmentEntry } from "../../src/resource/field.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";

async function site() {
  const files = new MemoryDisk({ clock: { now: () => 0 } as never }).mount();
  await files.makeDirectory("/town/.git/town/secrets");
  await files.writeAtomic("/town/.git/town/secrets/anthropic-key", "k-123", { mode: 0o600 });
  const ports = { files, layout: { root: "/town", state: "/town/.git/town" }, sessionPath: "/bin" };
  return ports as unknown as Parameters<typeof resolveEnvironment>[1];
}

describe("the environment of a session", () => {
  it("given a secretRef, when resolved, then the variable has the secret's value", async () => {
    const entry = { name: "ANTHROPIC_API_KEY", valueFrom: { secretRef: { name: "anthropic-key" } } };
    expect(await resolveEnvironment([[entry]], await site())).toEqual({ ANTHROPIC_API_KEY: "k-123" });
  });

  it.each([
    "nothing",
    "../tokens/overseer",
  ])("given the secret %s that is not there, when resolved, then the error names the variable and the fix", async (name) => {
    const entry = { name: "KEY", valueFrom: { secretRef: { name } } };
    await expect(resolveEnvironment([[entry]], await site())).rejects.toMatchObject({
      reason: "EnvironmentUnavailable",
      message: expect.stringContaining("variable KEY") as string,
      hint: expect.stringContaining(`town secret set ${name}`) as string,
    });
  });

  it.each([
    { because: "neither", entry: { name: "A" }, good: false },
    { because: "both", entry: { name: "A", value: "1", valueFrom: { file: "x" } }, good: false },
    { because: "two sources", entry: { name: "A", valueFrom: { file: "x", secretRef: { name: "s" } } }, good: false },
    { because: "no source", entry: { name: "A", valueFrom: {} }, good: false },
    { because: "an empty value", entry: { name: "A", value: "" }, good: true },
    { because: "a secret", entry: { name: "A", valueFrom: { secretRef: { name: "s" } } }, good: true },
  ])("given $because, when an entry is read, then it is accepted: $good", ({ entry, good }) => {
    expect(environmentEntry().safeParse(entry).success).toBe(good);
  });
});
