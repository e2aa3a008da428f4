import { describe, expect, it } from "vitest";
import { CALLERS, WIDGETS, widgetBody, widgetTown } from "./widget-town.ts";
import { fc, fuzzRuns } from "../property.ts";

const segment = fc.oneof(
  fc.constantFrom(
    "api",
    "apis",
    "v1",
    "v1alpha1",
    "town.dev",
    "work.town.dev",
    "namespaces",
    "api",
    "hq",
    "widgets",
    "rigs",
    "chores",
    "sessions",
    "pods",
    "events",
    "one",
    "two",
    "status",
    "scale",
    "log",
    "exec",
    "verbs",
    "explain",
    "shout",
    "openapi",
    "v3",
    "__proto__",
    "constructor",
    "%00",
    "%zz",
    "..",
    "",
    "a%2Fb",
    "authorization.k8s.io",
  ),
  fc.string({ maxLength: 8 }).map((text) => encodeURIComponent(text.replace(/[\ud800-\udfff]/g, ""))),
);
const path = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      WIDGETS,
      `${WIDGETS}/one`,
      `${WIDGETS}/one/status`,
      `${WIDGETS}/one/scale`,
      "/apis/work.town.dev/v1alpha1/namespaces/api/chores",
      "/apis/town.dev/v1alpha1/rigs",
      "/api/v1/namespaces/api/pods/s/log",
      "/api/v1/namespaces/api/pods",
      "/apis/work.town.dev/v1alpha1/verbs/shout",
      "/apis/work.town.dev/v1alpha1/verbs/explain",
    ),
  },
  { weight: 1, arbitrary: fc.array(segment, { maxLength: 9 }).map((segments) => `/${segments.join("/")}`) },
);
const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.string({ maxLength: 10 }),
    fc.array(tie("any"), { maxLength: 4 }),
    tie("record"),
  ),
  record: fc.dictionary(
    fc.constantFrom(
      "apiVersion",
      "kind",
      "metadata",
      "spec",
      "status",
      "name",
      "namespace",
      "labels",
      "annotations",
      "finalizers",
      "ownerReferences",
      "resourceVersion",
      "uid",
      "role",
      "replicas",
      "env",
      "extra",
      "settings",
      "op",
      "path",
      "value",
      "from",
      "args",
      "preconditions",
      "propagationPolicy",
      "dryRun",
      "__proto__",
      "constructor",
      "toString",
      "x",
    ),
    tie("any"),
    { maxKeys: 6 },
  ),
})).any;
const field = fc.constantFrom(
  "metadata",
  "spec",
  "status",
  "kind",
  "apiVersion",
  "labels",
  "annotations",
  "finalizers",
  "ownerReferences",
  "resourceVersion",
  "generateName",
  "name",
  "role",
  "replicas",
  "env",
  "extra",
  "settings",
  "size",
  "color",
  "__proto__",
);
/** A good body with one place replaced by anything. */
const nearlyGood = fc.tuple(fc.constantFrom("one", "new"), field, json).map(([name, at, value]) => {
  const body = widgetBody(name) as unknown as Record<string, Record<string, unknown>>;
  if (at in body) return { ...body, [at]: value };
  if (["role", "replicas", "env", "extra", "settings", "size", "color", "__proto__"].includes(at))
    return { ...body, spec: { ...body["spec"], [at]: value } };
  return { ...body, metadata: { ...body["metadata"], [at]: value } };
});
const operations = fc.array(
  fc.record(
    {
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "nope"),
      path: fc.constantFrom(
        "",
        "/",
        "/spec",
        "/spec/role",
        "/spec/env/-",
        "/spec/env/0",
        "/metadata/labels/a",
        "/metadata/name",
        "/__proto__/x",
        "/spec/constructor",
        "~9",
        "/status",
      ),
      from: fc.constantFrom("/spec", "/metadata", "", "/none"),
      value: json,
    },
    { requiredKeys: ["op", "path"] },
  ),
  { maxLength: 5 },
);
const body = fc.oneof(json, nearlyGood, operations, fc.string(), fc.uint8Array({ maxLength: 50 }));
const query = fc.array(
  fc.tuple(
    fc.constantFrom(
      "watch",
      "limit",
      "continue",
      "labelSelector",
      "fieldSelector",
      "resourceVersion",
      "resourceVersionMatch",
      "dryRun",
      "fieldValidation",
      "includeObject",
      "tailLines",
      "sinceSeconds",
      "timestamps",
      "sinceTime",
      "propagationPolicy",
      "timeoutSeconds",
      "sendInitialEvents",
      "allowWatchBookmarks",
      "pretty",
    ),
    fc.oneof(
      fc.constantFrom(
        "",
        "true",
        "false",
        "0",
        "1",
        "All",
        "-1",
        "Strict",
        "NotOlderThan",
        "Exact",
        "a=b",
        "metadata.name=one",
        "spec.role=x",
        "99999999999999999999",
        "eyJ2IjoxfQ",
      ),
      fc.string({ maxLength: 12 }),
    ),
  ),
  { maxLength: 4 },
);
const headers = fc.record(
  {
    "content-type": fc.constantFrom(
      "application/json",
      "application/merge-patch+json",
      "application/json-patch+json",
      "application/strategic-merge-patch+json",
      "application/apply-patch+yaml",
      "application/vnd.kubernetes.protobuf",
      "text/plain",
      "",
      "application/json; charset=x",
    ),
    accept: fc.oneof(
      fc.constantFrom(
        "application/json",
        "*/*",
        "application/json;as=Table;v=v1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        ";;;,,,",
        "text/html",
      ),
      fc.stringMatching(/^[ -~]{0,20}$/),
    ),
    "accept-encoding": fc.constantFrom("gzip", "identity", "gzip;q=0"),
    "if-none-match": fc.constantFrom("*", '"x"'),
    authorization: fc.constantFrom(
      "Bearer admin",
      "Bearer admin",
      "Bearer admin",
      "Bearer admin",
      "Bearer edit",
      "Bearer agent",
      "Bearer view",
      "Bearer",
      "x",
    ),
  },
  { requiredKeys: ["authorization"] },
);
const method = fc.constantFrom(
  "GET",
  "GET",
  "POST",
  "POST",
  "PUT",
  "PATCH",
  "PATCH",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "PROPFIND",
);

/** Requests that are right but for one thing, so that they get past the first checks. */
const sensible = fc.oneof(
  fc.record({
    method: fc.constant("POST"),
    path: fc.constant(WIDGETS),
    body: nearlyGood,
    headers: fc.constant({ authorization: "Bearer admin", "content-type": "application/json" }),
    query: fc.constant([]),
  }),
  fc.record({
    method: fc.constant("PATCH"),
    path: fc.constantFrom(`${WIDGETS}/one`, `${WIDGETS}/one/status`, `${WIDGETS}/one/scale`),
    body: fc.oneof(nearlyGood, json),
    headers: fc.constant({ authorization: "Bearer admin", "content-type": "application/merge-patch+json" }),
    query,
  }),
  fc.record({
    method: fc.constant("PATCH"),
    path: fc.constantFrom(`${WIDGETS}/one`, `${WIDGETS}/one/status`),
    body: operations,
    headers: fc.constant({ authorization: "Bearer admin", "content-type": "application/json-patch+json" }),
    query: fc.constant([]),
  }),
  fc.record({
    method: fc.constant("DELETE"),
    path: fc.constantFrom(`${WIDGETS}/one`, WIDGETS),
    body: json,
    headers: fc.constant({ authorization: "Bearer admin" }),
    query,
  }),
  fc.record({ method: fc.constant("GET"), path, body, headers: fc.constant({ authorization: "Bearer view" }), query }),
);
const anything = fc.record({ method, path, query, headers, body });

describe("any request", { timeout: 300_000 }, () => {
  it("given any method, path, query, headers and body, when sent, then never a 500, and the objects stay whole", async () => {
    const codes = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(sensible, anything), { minLength: 1, maxLength: 12 }), async (requests) => {
        const { api, store } = await widgetTown({
          verbs: [
            {
              name: "shout",
              summary: "Shouts.",
              needs: "agent",
              run: async ({ args }) => ({ text: JSON.stringify(args) }),
            },
          ],
        });
        await store.declare(
          { kind: "Widget", namespace: "api", name: "one" },
          { spec: { role: "x", replicas: 1 }, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
        );
        await store.publish({ kind: "Session", namespace: "api", name: "s" }, { spec: {}, status: {} });
        for (const request of requests) {
          const withBody = !["GET", "HEAD"].includes(request.method);
          const payload =
            request.body instanceof Uint8Array || typeof request.body === "string"
              ? request.body
              : JSON.stringify(request.body);
          const search = new URLSearchParams(request.query as [string, string][]).toString();
          let input: Request;
          try {
            input = new Request(`http://localhost${request.path}?${search}`, {
              method: request.method,
              headers: request.headers,
              ...(withBody ? { body: payload as string } : {}),
            });
          } catch {
            continue;
          }
          const response = await api.app.fetch(input);
          const isStream = response.headers.get("transfer-encoding") === "chunked";
          const text = isStream ? "" : await response.text();
          if (isStream) await response.body?.cancel();
          codes.set(response.status, (codes.get(response.status) ?? 0) + 1);
          expect(
            response.status,
            `${request.method} ${input.url} ${String(payload).slice(0, 300)} -> ${text}`,
          ).not.toBe(500);
          if (response.status >= 400 && text.startsWith("{"))
            expect(JSON.parse(text)).toMatchObject({ kind: "Status", status: "Failure", code: response.status });
        }
        api.close();
        for (const object of [...store.list("Widget"), ...store.list("Chore"), ...store.list("Rig")]) {
          expect(object.metadata.name).toMatch(/^[a-z0-9][-a-z0-9.]*$/);
          expect(object.spec).toBeTypeOf("object");
          expect(object.metadata.uid).not.toBe("");
          expect(object.metadata).not.toHaveProperty("polluted");
        }
        expect(({} as { x?: unknown }).x).toBeUndefined();
        expect(Object.keys(CALLERS)).toHaveLength(4);
      }),
      { numRuns: fuzzRuns(150) },
    );
    expect([...codes.keys()].filter((code) => code < 300).length).toBeGreaterThan(1);
    expect(codes.get(422) ?? 0).toBeGreaterThan(0);
  });

  it("given patches that copy themselves over and over or move into themselves, when sent, then they are refused", async () => {
    const { api, store } = await widgetTown();
    await store.declare(
      { kind: "Widget", namespace: "api", name: "one" },
      { spec: { role: "x", replicas: 1 }, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
    );
    const send = (operations: unknown) =>
      api.app.request(`http://localhost${WIDGETS}/one`, {
        method: "PATCH",
        headers: { authorization: "Bearer admin", "content-type": "application/json-patch+json" },
        body: JSON.stringify(operations),
      });
    expect(
      (
        await send([
          { op: "add", path: "/spec/extra", value: {} },
          ...Array.from({ length: 40 }, (_, index) => ({ op: "copy", from: "/spec", path: `/spec/extra/${index}` })),
        ])
      ).status,
    ).toBe(422);
    expect((await send([{ op: "move", from: "/spec", path: "/spec/extra" }])).status).toBe(422);
    expect((await send([{ op: "move", from: "", path: "/spec/role" }])).status).toBe(422);
    expect(
      (await send(Array.from({ length: 10_001 }, () => ({ op: "test", path: "/spec/role", value: "x" })))).status,
    ).toBe(413);
  });

  it("given bodies that are too large or too deep, when sent, then they are refused before they cost much", async () => {
    const { api } = await widgetTown();
    const send = (text: string) =>
      api.app.request(`http://localhost${WIDGETS}`, {
        method: "POST",
        headers: { authorization: "Bearer admin", "content-type": "application/json" },
        body: text,
      });
    expect((await send(`{"a":"${"x".repeat(4 * 1024 * 1024)}"}`)).status).toBe(413);
    expect((await send(`${"[".repeat(5_000)}${"]".repeat(5_000)}`)).status).toBe(400);
    expect((await send(`{"spec":${'{"a":'.repeat(90_000)}1${"}".repeat(90_000)}}`)).status).toBe(400);
    expect((await send("")).status).toBe(400);
    const announced = await api.app.request(`http://localhost${WIDGETS}`, {
      method: "POST",
      headers: { authorization: "Bearer admin", "content-type": "application/json", "content-length": "99999999" },
      body: "{}",
    });
    expect(announced.status).toBe(413);
  });
});
