import { describe, expect, it } from "vitest";
import { KINDS } from "../../src/kinds/index.ts";
import type { Problem } from "../../src/manifests/problem.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import type { TownObject } from "../../src/resource/object-meta.ts";
import { type Api, createApi } from "../../src/server/api.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { MAIN, poolText, RIG, SyncTown } from "../sync/sync-site.ts";
import { virtualClock } from "../turn.ts";
import { CALLERS } from "./widget-town.ts";
import { fc, fuzzRuns } from "../property.ts";

const POOLS = "/apis/town.dev/v1alpha1/namespaces/api/agentpools";
const ROLES = "/apis/town.dev/v1alpha1/roles";
const RIGS = "/apis/town.dev/v1alpha1/rigs";
const CONVOYS = "/apis/town.dev/v1alpha1/namespaces/hq/convoys";
const COMMENT = "# Kept by hand.\n";

interface Site {
  readonly town: SyncTown;
  readonly api: Api;
}

/** A town in memory whose API writes real commits of real kinds. */
async function aTown(): Promise<Site> {
  const clock = virtualClock(1_900_000_000_000);
  const files = new MemoryDisk({ clock }).mount();
  const town = await SyncTown.make({ git: new MemoryGit({ clock, files }), files, clock, base: "/base" }, "town");
  await town.commit({ "rig.yaml": RIG, "a.yaml": `${COMMENT}${poolText("a")}`, "b.yaml": poolText("b") });
  await town.settle();
  const api = createApi({
    registry: kindRegistry(KINDS),
    store: town.store,
    events: town.store,
    clock,
    random: seededRandom("desired"),
    authenticator: { authenticate: (token) => CALLERS[token] },
    writers: { Desired: town.desired.commits },
  });
  return { town, api };
}

type Json = Readonly<Record<string, unknown>>;

const poolBody = (name: string, spec: Json = {}): Json => ({
  apiVersion: "town.dev/v1alpha1",
  kind: "AgentPool",
  metadata: { name, namespace: "api" },
  spec: { role: "crew", provider: "shell", replicas: 1, ...spec },
});
const text = fc.oneof(
  fc.constantFrom(
    "",
    "x",
    "true",
    "null",
    "~",
    "1e3",
    "0x10",
    "- a",
    "a: b",
    "#",
    "&a",
    "*a",
    "!!str x",
    "|",
    "${local:NAME}",
    "$" + "{local:",
    "a\nb",
    " a",
    "a ",
    "é\u0000",
    "\u2028",
    "'",
    '"',
    "---",
    "%YAML",
  ),
  fc.string({ maxLength: 8, unit: "binary" }),
);
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    text,
    fc.array(tie("any"), { maxLength: 3 }),
    tie("record"),
  ),
  record: fc.dictionary(fc.oneof(fc.constantFrom("name", "value", "valueFrom", "x"), text), tie("any"), { maxKeys: 3 }),
})).any;
const name = fc.constantFrom("a", "b", "c", "d");
const field = fc.constantFrom(
  "role",
  "provider",
  "replicas",
  "suspend",
  "names",
  "formula",
  "model",
  "effort",
  "env",
  "none",
);
const good = fc.record(
  {
    replicas: fc.integer({ min: 0, max: 5 }),
    suspend: fc.boolean(),
    model: text,
    effort: text,
    names: fc.uniqueArray(fc.constantFrom("toast", "nux", "max"), { maxLength: 3 }),
    env: fc.uniqueArray(fc.record({ name: fc.constantFrom("A", "B", "C"), value: text }), {
      selector: (entry) => entry.name,
      maxLength: 3,
    }),
  },
  { requiredKeys: [] },
);
const spec = fc.oneof(
  { weight: 3, arbitrary: good },
  { weight: 1, arbitrary: fc.tuple(field, value).map(([key, of]) => ({ [key]: of })) },
);
const texts = fc.dictionary(
  fc.oneof(fc.constantFrom("team", "example.org/why"), text),
  fc.oneof(text, fc.constant(null)),
  { maxKeys: 2 },
);

const request = fc.oneof(
  fc.record({
    method: fc.constant("POST"),
    path: fc.constant(POOLS),
    body: fc.tuple(name, spec).map(([at, of]) => poolBody(at, of)),
  }),
  fc.record({
    method: fc.constant("PATCH"),
    path: name.map((at) => `${POOLS}/${at}`),
    body: fc.record(
      { spec, metadata: fc.record({ labels: texts, annotations: texts }, { requiredKeys: [] }) },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    method: fc.constant("PATCH"),
    path: name.map((at) => `${POOLS}/${at}/scale`),
    body: fc.record({ spec: fc.record({ replicas: fc.oneof(fc.integer(), value) }) }),
  }),
  fc.record({
    method: fc.constant("PUT"),
    path: name.map((at) => `${POOLS}/${at}`),
    body: fc.tuple(name, spec).map(([at, of]) => poolBody(at, of)),
  }),
  fc.record({ method: fc.constant("DELETE"), path: name.map((at) => `${POOLS}/${at}`), body: fc.constant({}) }),
  fc.record({
    method: fc.constant("PATCH"),
    path: fc.constant(`${ROLES}/crew`),
    body: fc.record({ spec: fc.record({ prompt: text }) }),
  }),
  fc.record({
    method: fc.constantFrom("DELETE", "PATCH"),
    path: fc.constantFrom(`${ROLES}/crew`, `${RIGS}/api`),
    body: fc.constant({ metadata: { labels: { seen: "1" } } }),
  }),
  fc.record({
    method: fc.constant("POST"),
    path: fc.constant(CONVOYS),
    body: fc.tuple(name, text, value).map(([at, title, more]) => ({
      apiVersion: "town.dev/v1alpha1",
      kind: "Convoy",
      metadata: { name: at, namespace: "hq" },
      spec: { items: [{ name: "one", rig: "api", title, description: more }] },
    })),
  }),
);

async function send(
  api: Api,
  { method, path, body }: { method: string; path: string; body: unknown },
  at: string,
): Promise<number> {
  const sent =
    method === "PUT"
      ? { ...(body as Json), metadata: { ...(body as { metadata: Json }).metadata, resourceVersion: at } }
      : body;
  const response = await api.app.request(`http://localhost${path}`, {
    method,
    headers: {
      authorization: "Bearer admin",
      "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
    },
    body: JSON.stringify(sent),
  });
  const answer = await response.text();
  expect(response.status, `${method} ${path} ${JSON.stringify(sent)} -> ${answer}`).toBeLessThan(500);
  if (response.status >= 400) expect(JSON.parse(answer)).toMatchObject({ kind: "Status", code: response.status });
  return response.status;
}

/** What git should be able to give back: everything of an object but the server's bookkeeping. */
function stated({ kind, metadata, spec: of }: TownObject): unknown {
  const { name: at, namespace, labels = {}, annotations = {} } = metadata;
  return { kind, at, namespace, labels, annotations, of };
}

/** Problems of files; what points at objects that are not there is shown and harms nobody. */
const broken = (problems: readonly Problem[]): readonly Problem[] =>
  problems.filter(({ reason }) => reason !== "ReferenceDangling" && reason !== "NamespaceMissing");

const desired = (town: SyncTown): unknown =>
  ["Rig", "Role", "AgentPool", "Convoy"].flatMap((kind) => town.store.list(kind).map(stated));

describe("writes of desired kinds", { timeout: 240_000 }, () => {
  it("given any writes, when made, then never a 500, git alone gives back the same objects, and the checkout is as HEAD", async () => {
    const codes = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 8 }), async (requests) => {
        const { town, api } = await aTown();
        for (const each of requests) {
          const found = town.store.get({
            kind: "AgentPool",
            namespace: "api",
            name: each.path.split("/").at(-1) ?? "",
          });
          codes.add(await send(api, each, found?.metadata.resourceVersion ?? ""));
        }
        api.close();
        const before = desired(town);
        expect(broken((await town.sync()).problems)).toEqual([]);
        expect(desired(town)).toEqual(before);
        const again = await town.reborn();
        await again.settle();
        expect(broken(again.desired.sync.last?.problems ?? [])).toEqual([]);
        expect(desired(again)).toEqual(before);
        for (const { path, id } of await town.repository.listFiles(MAIN, ""))
          expect(await town.ports.files.readText(`${town.root}/${path}`)).toBe(
            await town.repository.objects.readBlob(id),
          );
        const a = await town.ports.files.readText(`${town.root}/manifests/a.yaml`);
        if (a !== undefined) expect(a).toContain(COMMENT);
      }),
      { numRuns: fuzzRuns(60) },
    );
    expect([...codes]).toEqual(expect.arrayContaining([200, 201, 409, 422]));
  });
});
