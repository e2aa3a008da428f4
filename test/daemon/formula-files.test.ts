import { describe, expect, test } from "vitest";
import { FormulaFiles } from "../../src/daemon/formula-files.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { ObservedInput, Objects } from "../../src/ports/objects.ts";
import type { ObjectKey } from "../../src/resource/object-meta.ts";
import { graphWorld } from "../graph/graph-world.ts";

const WORK = 'formula = "work"\ndescription = "Do it"\n[[steps]]\nid = "a"\ntitle = "A"\n';

async function site() {
  const { disk, clock } = await graphWorld();
  const files = disk.mount();
  const formulas = new FormulaFiles(files, ["/town/formulas", "/builtin"], { log: silentLog, clock });
  const published = new Map<string, ObservedInput>();
  const objects = {
    get: ({ name }: ObjectKey) => published.get(name),
    list: () => [...published.keys()].map((name) => ({ metadata: { name } })),
    publish: ({ name }: ObjectKey, object: ObservedInput | undefined) => {
      if (object === undefined) published.delete(name);
      else published.set(name, object);
      return Promise.resolve();
    },
  } as unknown as Objects;
  for (const directory of ["/town/formulas", "/builtin"]) await files.makeDirectory(directory);
  return {
    files,
    formulas,
    published,
    reload: async () => {
      await formulas.load();
      await formulas.show(objects);
    },
  };
}

describe("FormulaFiles", () => {
  test("given formulas in two directories, when loaded, then the near one is in force and each is an object", async () => {
    const { files, formulas, published, reload } = await site();
    await files.writeAtomic("/builtin/work.formula.toml", WORK);
    await files.writeAtomic("/town/formulas/work.toml", WORK.replace("Do it", "Ours"));
    await files.writeAtomic("/builtin/other.toml", WORK.replace('"work"', '"other"'));
    await reload();
    expect(formulas.names()).toEqual(["other", "work"]);
    expect(formulas.get("work")?.description).toBe("Ours");
    expect(published.get("work")).toMatchObject({
      spec: { source: "/town/formulas/work.toml", steps: [{ id: "a", title: "A", needs: [] }] },
      status: { conditions: [{ type: "Ready", status: "True", reason: "Loaded" }] },
    });
  });

  test("given a file that breaks, when loaded again, then its last good version stays in force and its object says what is wrong", async () => {
    const { files, formulas, published, reload } = await site();
    await files.writeAtomic("/town/formulas/work.toml", WORK);
    await reload();
    await files.writeAtomic("/town/formulas/work.toml", `${WORK}needs = ["b"]\n`);
    await reload();
    expect(formulas.get("work")?.description).toBe("Do it");
    expect(published.get("work")?.status["conditions"]).toMatchObject([
      {
        status: "False",
        reason: "NeedUnknown",
        message:
          "its last good version is in force; /town/formulas/work.toml:6:1: step 'a' needs 'b', which is no step of this formula.",
      },
    ]);
    await files.remove("/town/formulas/work.toml");
    await reload();
    expect(formulas.get("work")).toBeUndefined();
    expect(published.size).toBe(0);
  });

  test("given a file that was never good, when loaded, then it cannot be poured and says so", async () => {
    const { files, formulas, published, reload } = await site();
    await files.writeAtomic("/town/formulas/bad.toml", "formula = ");
    await reload();
    expect(formulas.get("bad")).toBeUndefined();
    expect(published.get("bad")?.status["conditions"]).toMatchObject([{ status: "False", reason: "TomlInvalid" }]);
  });
});
