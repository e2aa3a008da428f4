import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { TownObject } from "../../src/resource/object-meta.ts";
import type { Store } from "../../src/store/store.ts";
import { aStore, declared, widgetKey } from "./a-store.ts";

setFlagsFromString("--allow-natives-syntax");
/** Whether V8 describes both by one hidden class; one for each object takes more memory than many an object. */
const haveSameMap = runInThisContext("(a, b) => %HaveSameMap(a, b)") as (a: object, b: object) => boolean;

async function widgets(store: Store): Promise<readonly TownObject[]> {
  for (let index = 0; index < 20; index++) {
    await declared(store, `w${index}`, { role: "x" });
    await store.patchStatus(widgetKey(`w${index}`), { note: "seen" });
  }
  return store.list("Widget");
}

describe("what a store keeps by the thousand", () => {
  it("given objects that were changed alike, when kept, then they share their hidden classes", async () => {
    const [first, ...others] = (await widgets(await aStore())).slice(5) as [TownObject, ...TownObject[]];
    expect(others.map((other) => haveSameMap(other, first))).not.toContain(false);
    expect(others.map(({ metadata }) => haveSameMap(metadata, first.metadata))).not.toContain(false);
  });

  it("given events, new and repeated, when kept, then they share their hidden classes", async () => {
    const store = await aStore();
    await widgets(store);
    for (let index = 0; index < 40; index++)
      store.record(widgetKey(`w${index % 20}`), { type: "Normal", reason: "Seen", message: "seen" });
    const [first, ...others] = store.list("Event").slice(5) as [TownObject, ...TownObject[]];
    expect(others.map((other) => haveSameMap(other, first))).not.toContain(false);
    expect(others.map(({ metadata }) => haveSameMap(metadata, first.metadata))).not.toContain(false);
  });
});
