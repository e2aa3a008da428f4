import { expect, test } from "vitest";
import type { WatchEvent } from "../../src/ports/objects.ts";
import type { TownObject } from "../../src/resource/object-meta.ts";
import { expectStores } from "../../src/work/expected-stores.ts";

const rig = (name: string, spec: object = {}) => ({ kind: "Rig", metadata: { name }, spec }) as unknown as TownObject;

test("given rigs that are declared, added and removed, then their prefixes are expected as long as they are there", () => {
  const told: string[] = [];
  let tell: (event: WatchEvent) => void = () => undefined;
  const end = expectStores(
    {
      list: (kind) => (kind === "Rig" ? [rig("api"), rig("web", { prefix: "w" })] : []),
      subscribe: (listener) => {
        tell = listener;
        return () => void told.push("ended");
      },
    },
    {
      expect: (namespace, prefix) => void told.push(`${namespace}=${prefix}`),
      forget: (namespace) => void told.push(`-${namespace}`),
    },
  );
  tell({ type: "ADDED", object: rig("new") });
  tell({ type: "DELETED", object: rig("api") });
  tell({ type: "ADDED", object: { ...rig("x"), kind: "Role" } });
  end();
  expect(told).toEqual(["api=api", "web=w", "new=new", "-api", "ended"]);
});
