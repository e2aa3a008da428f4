import { describe, expect, it, vi } from "vitest";
import { ApiStatusError } from "../../src/errors/town-error.ts";
import { ownerReferenceTo, type TownObject } from "../../src/resource/object-meta.ts";
import type { Verb } from "../../src/resource/verb.ts";
import { bytesOf, readFields, textOf } from "../../src/server/protobuf.ts";
import { keptLog } from "../store/a-store.ts";
import { call, widgetBody, WIDGETS, widgetTown } from "./widget-town.ts";

const MERGE = { "content-type": "application/merge-patch+json" };
const JSON_PATCH = { "content-type": "application/json-patch+json" };
const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };
const PARTIAL_LIST = { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" };
const STRATEGIC = { "content-type": "application/strategic-merge-patch+json" };
const GROUPS = ["town.dev", "work.town.dev", "authorization.k8s.io", "authentication.k8s.io"];
const turn = () => new Promise((done) => setImmediate(done));

async function withWidget(spec?: Readonly<Record<string, unknown>>) {
  const town = await widgetTown();
  const made = await call(town.api, "POST", WIDGETS, widgetBody("one", spec));
  expect(made.code).toBe(201);
  return { ...town, made: made.body };
}

describe("creating", () => {
  it("given a manifest, when posted, then it is admitted with defaults, and its file would hold only what was stated", async () => {
    const { api, desired } = await widgetTown();
    const sent = {
      ...widgetBody(
        "one",
        { role: "x" },
        {
          labels: { a: "b" },
          creationTimestamp: null,
          annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", mine: "1" },
        },
      ),
      status: { note: "ignored" },
    };
    const { code, body } = await call(api, "POST", `${WIDGETS}?fieldManager=me`, sent);
    expect(code).toBe(201);
    expect(body).toMatchObject({
      metadata: {
        name: "one",
        namespace: "api",
        generation: 1,
        labels: { a: "b" },
        annotations: { mine: "1", "kubectl.kubernetes.io/last-applied-configuration": "{}" },
      },
      spec: { role: "x", replicas: 1 },
    });
    expect(body).not.toHaveProperty("status");
    expect(body.metadata.creationTimestamp).toBe("2026-01-01T00:00:00Z");
    expect(desired.writes).toMatchObject([
      {
        caller: { name: "overseer" },
        before: undefined,
        stated: {
          apiVersion: "town.dev/v1alpha1",
          kind: "Widget",
          metadata: { name: "one", namespace: "api", labels: { a: "b" }, annotations: { mine: "1" } },
          spec: { role: "x" },
        },
        dryRun: false,
      },
    ]);
    expect(desired.writes[0]?.after?.metadata.annotations).toEqual({ mine: "1" });
  });

  it("given generateName, when posted twice, then names differ", async () => {
    const { api } = await widgetTown();
    const body = { ...widgetBody(""), metadata: { generateName: "gen-" } };
    const names = [await call(api, "POST", WIDGETS, body), await call(api, "POST", WIDGETS, body)].map(
      (answer) => answer.body.metadata.name,
    );
    expect(names[0]).toMatch(/^gen-[0-9a-z]{5}$/);
    expect(new Set(names).size).toBe(2);
  });

  it("given dryRun, when posted, then the writer is asked and nothing is kept", async () => {
    const { api, desired, store } = await widgetTown();
    const { code, body } = await call(api, "POST", `${WIDGETS}?dryRun=All`, widgetBody("one"));
    expect([code, body.spec]).toEqual([201, { role: "polish", replicas: 1 }]);
    expect(desired.writes.map(({ dryRun }) => dryRun)).toEqual([true]);
    expect(store.list("Widget")).toEqual([]);
    expect(store.list("Event")).toEqual([]);
  });

  it("given a work kind, when posted, then its own writer makes it", async () => {
    const { api, work } = await widgetTown();
    const { code } = await call(api, "POST", "/apis/work.town.dev/v1alpha1/namespaces/hq/chores", {
      apiVersion: "work.town.dev/v1alpha1",
      kind: "Chore",
      metadata: { name: "c" },
      spec: { title: "t" },
    });
    expect(code).toBe(201);
    expect(work.writes).toHaveLength(1);
  });

  it("given fieldValidation, when a field is unknown, then Strict refuses, Warn tells, Ignore is silent; the field is pruned", async () => {
    const { api } = await widgetTown();
    const sent = (name: string) => widgetBody(name, { role: "x", foo: 1, env: [{ name: "A", bar: 2 }] });
    const strict = await call(api, "POST", `${WIDGETS}?fieldValidation=Strict`, sent("a"));
    expect([strict.code, strict.body.reason, strict.body.message]).toEqual([
      400,
      "BadRequest",
      'Widget in version "v1alpha1" cannot be handled as a Widget: strict decoding error: unknown field "spec.foo", unknown field "spec.env[0].bar"',
    ]);
    const warned = await call(api, "POST", WIDGETS, sent("b"));
    expect(warned.headers.get("warning")).toBe(
      '299 - "unknown field \\"spec.foo\\"", 299 - "unknown field \\"spec.env[0].bar\\""',
    );
    expect(warned.body.spec).toEqual({ role: "x", replicas: 1, env: [{ name: "A" }] });
    const ignored = await call(api, "POST", `${WIDGETS}?fieldValidation=Ignore`, sent("c"));
    expect([ignored.code, ignored.headers.get("warning")]).toEqual([201, null]);
  });
});

describe("refusals, as a real API server words them", () => {
  it.each<[string, string, string, unknown, Record<string, string>, number, string, string]>([
    ["no such object", "GET", `${WIDGETS}/x`, undefined, {}, 404, "NotFound", 'widgets.town.dev "x" not found'],
    [
      "taken name",
      "POST",
      WIDGETS,
      widgetBody("one"),
      {},
      409,
      "AlreadyExists",
      'widgets.town.dev "one" already exists',
    ],
    [
      "stale PUT",
      "PUT",
      `${WIDGETS}/one`,
      widgetBody("one", { role: "y" }, { resourceVersion: "1" }),
      {},
      409,
      "Conflict",
      'Operation cannot be fulfilled on widgets.town.dev "one": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [
      "stale patch",
      "PATCH",
      `${WIDGETS}/one`,
      { metadata: { resourceVersion: "1" } },
      MERGE,
      409,
      "Conflict",
      "the object has been modified",
    ],
    [
      "stale uid",
      "PATCH",
      `${WIDGETS}/one`,
      { metadata: { uid: "1" } },
      MERGE,
      409,
      "Conflict",
      "Precondition failed: UID in precondition: 1",
    ],
    [
      "PUT without version",
      "PUT",
      `${WIDGETS}/one`,
      widgetBody("one"),
      {},
      422,
      "Invalid",
      "metadata.resourceVersion: Invalid value: 0: must be specified for an update",
    ],
    [
      "PUT of a new name",
      "PUT",
      `${WIDGETS}/new`,
      widgetBody("new", {}, { resourceVersion: "1" }),
      {},
      404,
      "NotFound",
      "not found",
    ],
    [
      "schema violation",
      "POST",
      WIDGETS,
      widgetBody("d2", {}),
      {},
      422,
      "Invalid",
      'Widget.town.dev "d2" is invalid: spec.role: Required value',
    ],
    [
      "two violations",
      "POST",
      WIDGETS,
      widgetBody("d2", { replicas: -1 }),
      {},
      422,
      "Invalid",
      "is invalid: [spec.role: Required value, spec.replicas: Invalid value: -1",
    ],
    [
      "bad name",
      "POST",
      WIDGETS,
      widgetBody("Bad_Name"),
      {},
      422,
      "Invalid",
      "a lowercase RFC 1123 subdomain must consist of",
    ],
    [
      "bad label",
      "POST",
      WIDGETS,
      widgetBody("x", undefined, { labels: { "a b": "c" } }),
      {},
      422,
      "Invalid",
      "metadata.labels: Invalid value",
    ],
    [
      "no name",
      "POST",
      WIDGETS,
      { ...widgetBody(""), metadata: {} },
      {},
      422,
      "Invalid",
      "metadata.name: Required value: name or generateName is required",
    ],
    [
      "wrong kind",
      "POST",
      WIDGETS,
      { ...widgetBody("x"), kind: "Bead" },
      {},
      422,
      "Invalid",
      'kind: Invalid value: "Bead": must be Widget',
    ],
    ["no kind", "POST", WIDGETS, { metadata: { name: "x" } }, {}, 400, "BadRequest", "Object 'Kind' is missing"],
    [
      "wrong version",
      "POST",
      WIDGETS,
      { ...widgetBody("x"), apiVersion: "town.dev/v2" },
      {},
      400,
      "BadRequest",
      "the API version in the data (town.dev/v2) does not match",
    ],
    [
      "other namespace",
      "POST",
      WIDGETS,
      widgetBody("x", undefined, { namespace: "hq" }),
      {},
      400,
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "other name",
      "PUT",
      `${WIDGETS}/one`,
      widgetBody("dx", {}, { resourceVersion: "1" }),
      {},
      400,
      "BadRequest",
      "the name of the object (dx) does not match the name on the URL (one)",
    ],
    [
      "rename by patch",
      "PATCH",
      `${WIDGETS}/one`,
      { metadata: { name: "two" } },
      MERGE,
      400,
      "BadRequest",
      "the name of the object (two) does not match",
    ],
    [
      "unknown namespace",
      "POST",
      "/apis/town.dev/v1alpha1/namespaces/none/widgets",
      widgetBody("x"),
      {},
      404,
      "NotFound",
      'namespaces "none" not found',
    ],
    [
      "unknown field selector",
      "GET",
      `${WIDGETS}?fieldSelector=spec.zzz=1`,
      undefined,
      {},
      400,
      "BadRequest",
      "field label not supported: spec.zzz",
    ],
    [
      "bad label selector",
      "GET",
      `${WIDGETS}?labelSelector=a=b=c`,
      undefined,
      {},
      400,
      "BadRequest",
      "unable to parse requirement",
    ],
    ["bad limit", "GET", `${WIDGETS}?limit=many`, undefined, {}, 400, "BadRequest", "must be a whole number"],
    ["bad continue", "GET", `${WIDGETS}?continue=xyz`, undefined, {}, 400, "BadRequest", "continue key is not valid"],
    [
      "bad version",
      "GET",
      `${WIDGETS}?resourceVersion=abc`,
      undefined,
      {},
      400,
      "BadRequest",
      "must be a version as the server gave it",
    ],
    [
      "future version",
      "GET",
      `${WIDGETS}?resourceVersion=999999999999999`,
      undefined,
      {},
      504,
      "Timeout",
      "Too large resource version",
    ],
    [
      "strategic patch",
      "PATCH",
      `${WIDGETS}/one`,
      {},
      STRATEGIC,
      415,
      "UnsupportedMediaType",
      "accepted media types include: application/json-patch+json, application/merge-patch+json",
    ],
    [
      "server-side apply",
      "PATCH",
      `${WIDGETS}/one`,
      {},
      { "content-type": "application/apply-patch+yaml" },
      415,
      "UnsupportedMediaType",
      "without --server-side",
    ],
    [
      "protobuf",
      "POST",
      WIDGETS,
      "k8s",
      { "content-type": "application/vnd.kubernetes.protobuf" },
      415,
      "UnsupportedMediaType",
      "application/json",
    ],
    [
      "failing JSON patch",
      "PATCH",
      `${WIDGETS}/one`,
      [{ op: "test", path: "/spec/role", value: "no" }],
      JSON_PATCH,
      422,
      "Invalid",
      "the server rejected our request due to an error in our request",
    ],
    [
      "JSON patch of a missing path",
      "PATCH",
      `${WIDGETS}/one`,
      [{ op: "remove", path: "/spec/none" }],
      JSON_PATCH,
      422,
      "Invalid",
      "rejected our request",
    ],
    [
      "no JSON patch",
      "PATCH",
      `${WIDGETS}/one`,
      { op: "add" },
      JSON_PATCH,
      400,
      "BadRequest",
      "must be a list of operations",
    ],
    ["no JSON", "POST", WIDGETS, "{nope", {}, 400, "BadRequest", "the object provided is unrecognized"],
    [
      "labels of a wrong type",
      "POST",
      WIDGETS,
      widgetBody("x", undefined, { labels: { a: 1 } }),
      {},
      400,
      "BadRequest",
      "metadata.labels.a must be a string",
    ],
    [
      "dryRun of another value",
      "POST",
      `${WIDGETS}?dryRun=Some`,
      widgetBody("x"),
      {},
      422,
      "Invalid",
      'dryRun: Unsupported value: "Some"',
    ],
    [
      "fieldValidation of another value",
      "POST",
      `${WIDGETS}?fieldValidation=Maybe`,
      widgetBody("x"),
      {},
      400,
      "BadRequest",
      "fieldValidation: Unsupported value",
    ],
    [
      "uid precondition",
      "DELETE",
      `${WIDGETS}/one`,
      { preconditions: { uid: "u" } },
      {},
      409,
      "Conflict",
      "the UID in the precondition (u) does not match the UID in record",
    ],
    [
      "version precondition",
      "DELETE",
      `${WIDGETS}/one`,
      { preconditions: { resourceVersion: "1" } },
      {},
      409,
      "Conflict",
      "the ResourceVersion in the precondition (1) does not match",
    ],
    [
      "propagation of another value",
      "DELETE",
      `${WIDGETS}/one`,
      { propagationPolicy: "Sideways" },
      {},
      422,
      "Invalid",
      'propagationPolicy: Unsupported value: "Sideways"',
    ],
    [
      "POST on an object",
      "POST",
      `${WIDGETS}/one`,
      widgetBody("one"),
      {},
      405,
      "MethodNotAllowed",
      "use GET, PUT, PATCH, DELETE",
    ],
    ["unknown subresource", "GET", `${WIDGETS}/one/nudge`, undefined, {}, 404, "NotFound", "widgets/nudge"],
    [
      "negative scale",
      "PATCH",
      `${WIDGETS}/one/scale`,
      { spec: { replicas: -1 } },
      MERGE,
      422,
      "Invalid",
      "spec.replicas: Invalid value: -1",
    ],
    [
      "status of a wrong type",
      "PATCH",
      `${WIDGETS}/one/status`,
      { status: { replicas: "x" } },
      MERGE,
      422,
      "Invalid",
      "status.replicas: Invalid value",
    ],
    ["unacceptable", "GET", WIDGETS, undefined, { accept: "text/html" }, 406, "NotAcceptable", "application/json"],
    [
      "namespace made directly",
      "POST",
      "/api/v1/namespaces",
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "x" } },
      {},
      403,
      "Forbidden",
      "namespaces belong to Rig objects",
    ],
    [
      "namespace deleted directly",
      "DELETE",
      "/api/v1/namespaces/api",
      undefined,
      {},
      403,
      "Forbidden",
      "delete the Rig of that name instead",
    ],
    [
      "pod deleted",
      "DELETE",
      "/api/v1/namespaces/api/pods/x",
      undefined,
      {},
      403,
      "Forbidden",
      "pods show Session objects",
    ],
    [
      "observed kind written",
      "DELETE",
      "/apis/work.town.dev/v1alpha1/namespaces/api/sessions/s",
      undefined,
      {},
      404,
      "NotFound",
      "not found",
    ],
    [
      "observed kind made",
      "POST",
      "/apis/work.town.dev/v1alpha1/namespaces/api/sessions",
      { apiVersion: "work.town.dev/v1alpha1", kind: "Session", metadata: { name: "s" } },
      {},
      405,
      "MethodNotAllowed",
      "show what was observed and cannot be written",
    ],
    [
      "reserved rig",
      "POST",
      "/apis/town.dev/v1alpha1/rigs",
      { apiVersion: "town.dev/v1alpha1", kind: "Rig", metadata: { name: "hq" }, spec: {} },
      {},
      422,
      "Invalid",
      "is a built-in namespace",
    ],
    [
      "reserved rig",
      "POST",
      "/apis/town.dev/v1alpha1/rigs",
      { apiVersion: "town.dev/v1alpha1", kind: "Rig", metadata: { name: "kube-x" }, spec: {} },
      {},
      422,
      "Invalid",
      "is a built-in namespace",
    ],
    [
      "rig that is no namespace name",
      "POST",
      "/apis/town.dev/v1alpha1/rigs",
      { apiVersion: "town.dev/v1alpha1", kind: "Rig", metadata: { name: "a.b" }, spec: {} },
      {},
      422,
      "Invalid",
      "a lowercase RFC 1123 label",
    ],
    [
      "exec",
      "GET",
      "/api/v1/namespaces/api/pods/x/exec?command=ls",
      undefined,
      {},
      405,
      "MethodNotAllowed",
      "town attach x",
    ],
  ])("given %s, when asked, then the Status says so", async (_name, method, path, body, headers, code, reason, message) => {
    const { api } = await withWidget();
    const answer = await call(api, method, path, body, headers);
    expect([answer.code, answer.body.reason]).toEqual([code, reason]);
    expect(answer.body).toMatchObject({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code });
    expect(answer.body.message).toContain(message);
  });

  it("given details, when an object is missing or invalid, then plural, kind and causes are told", async () => {
    const { api } = await widgetTown();
    expect((await call(api, "GET", `${WIDGETS}/x`)).body.details).toEqual({
      name: "x",
      group: "town.dev",
      kind: "widgets",
    });
    expect((await call(api, "POST", WIDGETS, widgetBody("d", {}))).body.details).toEqual({
      name: "d",
      group: "town.dev",
      kind: "Widget",
      causes: [{ reason: "FieldValueRequired", field: "spec.role", message: "Required value" }],
    });
  });

  it("given unknown paths, when asked, then plain 404", async () => {
    const { api } = await widgetTown();
    for (const path of [
      "/",
      "/nothing",
      "/apis/other.dev",
      "/apis/town.dev/v9",
      "/apis/town.dev/v1alpha1/gadgets",
      "/api/v2",
      `${WIDGETS}/a/b/c`,
      "/apis/town.dev/v1alpha1/widgets/one",
      "/apis/town.dev/v1alpha1/namespaces/api/rigs",
      "/openapi/v3/apis/none/v1",
    ]) {
      const answer = await call(api, "GET", path);
      expect([path, answer.code, answer.text]).toEqual([path, 404, "404 page not found\n"]);
    }
  });

  it("given a truth without a writer, when written, then 405 says why and discovery offers reading only", async () => {
    const { api } = await widgetTown({ api: { writers: {} } });
    expect((await call(api, "POST", WIDGETS, widgetBody("x"))).body).toMatchObject({
      code: 405,
      message: "widgets cannot be written: no writer for its truth (Desired) is available on this server",
    });
    const { resources } = (await call(api, "GET", "/apis/town.dev/v1alpha1")).body;
    expect(resources.find(({ name }) => name === "widgets")?.verbs).toEqual(["get", "list", "watch"]);
  });

  it("given a writer that refuses, when written, then its Status is handed on and nothing changes", async () => {
    const { api, desired, store } = await withWidget();
    desired.refuse = new ApiStatusError(409, "Conflict", "manifests/one.yaml has changes that are not committed", {
      hint: "Commit or undo them.",
    });
    const answer = await call(api, "PATCH", `${WIDGETS}/one`, { spec: { replicas: 3 } }, MERGE);
    expect([answer.code, answer.body.message]).toEqual([
      409,
      "manifests/one.yaml has changes that are not committed\nCommit or undo them.",
    ]);
    const foreground = await call(api, "DELETE", `${WIDGETS}/one`, { propagationPolicy: "Foreground" });
    expect(foreground.code).toBe(409);
    expect(store.list("Widget")[0]?.metadata.finalizers).toBeUndefined();
  });

  it("given an object of a read-only source, when written, then 403 names the place; runtime annotations still go", async () => {
    const { api, store } = await widgetTown();
    await store.declare(
      { kind: "Widget", namespace: "api", name: "far" },
      {
        spec: { role: "x", replicas: 1 },
        origin: { source: "upstream", path: "a/far.yaml", line: 7, revision: "abc123", readOnly: true },
      },
    );
    const refused = await call(api, "PATCH", `${WIDGETS}/far`, { spec: { replicas: 2 } }, MERGE);
    expect([refused.code, refused.body.message]).toEqual([
      403,
      'widgets.town.dev "far" is forbidden: it is declared in the read-only source upstream, a/far.yaml:7 at abc123: change it there',
    ]);
    expect((await call(api, "DELETE", `${WIDGETS}/far`)).code).toBe(403);
    expect(
      (
        await call(
          api,
          "PATCH",
          `${WIDGETS}/far`,
          { metadata: { annotations: { "runtime.town.dev/poke": "1" } } },
          MERGE,
        )
      ).code,
    ).toBe(200);
  });
});

describe("reading", () => {
  it("given widgets, when listed, then sorted, with the store's version, and by selector", async () => {
    const { api, store } = await widgetTown();
    for (const [name, role] of [
      ["b", "x"],
      ["a", "y"],
      ["c", "x"],
    ])
      await call(api, "POST", WIDGETS, widgetBody(name as string, { role }, { labels: { role: role as string } }));
    const names = async (query: string) =>
      (await call(api, "GET", `${WIDGETS}${query}`)).body.items.map(({ metadata }) => metadata.name);
    const list = (await call(api, "GET", WIDGETS)).body;
    expect(list).toMatchObject({
      kind: "WidgetList",
      apiVersion: "town.dev/v1alpha1",
      metadata: { resourceVersion: store.currentVersion() },
    });
    expect(list.items.map(({ kind }) => kind)).toEqual(["Widget", "Widget", "Widget"]);
    expect(await names("")).toEqual(["a", "b", "c"]);
    expect(await names("?labelSelector=role%3Dx")).toEqual(["b", "c"]);
    expect(await names("?fieldSelector=spec.role%3Dx,metadata.name!%3Db")).toEqual(["c"]);
    expect(await names("?fieldSelector=metadata.name%3Da")).toEqual(["a"]);
    expect(await names("?fieldSelector=metadata.name%3Dzzz")).toEqual([]);
    expect(
      (await call(api, "GET", "/apis/town.dev/v1alpha1/widgets?fieldSelector=metadata.namespace%3Dapi")).body.items,
    ).toHaveLength(3);
    expect((await call(api, "GET", "/apis/town.dev/v1alpha1/namespaces/hq/widgets")).body.items).toEqual([]);
  });

  it("given pages, when objects change between them, then the first page's snapshot is read to its end", async () => {
    const { api, store } = await widgetTown();
    for (let index = 0; index < 5; index += 1) await call(api, "POST", WIDGETS, widgetBody(`w${index}`));
    const first = (await call(api, "GET", `${WIDGETS}?limit=2`)).body;
    expect(first.metadata).toMatchObject({ remainingItemCount: 3 });
    await call(api, "DELETE", `${WIDGETS}/w2`);
    await call(api, "POST", WIDGETS, widgetBody("w00"));
    const second = (await call(api, "GET", `${WIDGETS}?limit=2&continue=${String(first.metadata.continue)}`)).body;
    const third = (await call(api, "GET", `${WIDGETS}?limit=2&continue=${String(second.metadata.continue)}`)).body;
    expect([first, second, third].flatMap(({ items }) => items.map(({ metadata }) => metadata.name))).toEqual([
      "w0",
      "w1",
      "w2",
      "w3",
      "w4",
    ]);
    expect(third.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
    expect(Number(store.currentVersion())).toBeGreaterThan(Number(first.metadata.resourceVersion));
    const again = (await call(api, "GET", `${WIDGETS}?limit=2&continue=${String(first.metadata.continue)}`)).body;
    expect(again.items.map(({ metadata }) => metadata.name)).toEqual(["w2", "w3"]);
  });

  it("given a page token that was left too long, when used, then 410", async () => {
    const { api, clock } = await widgetTown();
    for (let index = 0; index < 3; index += 1) await call(api, "POST", WIDGETS, widgetBody(`w${index}`));
    const first = (await call(api, "GET", `${WIDGETS}?limit=2`)).body;
    await clock.advance(6 * 60_000);
    expect(
      (await call(api, "GET", `${WIDGETS}?limit=2&continue=${String(first.metadata.continue)}`)).body,
    ).toMatchObject({ code: 410, reason: "Expired" });
  });

  it("given the Table form, when one or many are read, then columns, cells and row objects are there", async () => {
    const { api, clock } = await withWidget();
    await clock.advance(163_000);
    const { body } = await call(api, "GET", WIDGETS, undefined, TABLE);
    expect(body).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
    expect(body.columnDefinitions.map(({ name, type, format, priority }) => [name, type, format, priority])).toEqual([
      ["Name", "string", "name", 0],
      ["Role", "string", "", 0],
      ["Desired", "integer", "", 0],
      ["Ready", "string", "", 0],
      ["Age", "date", "", 0],
      ["Color", "string", "", 1],
      ["Source", "string", "", 1],
    ]);
    expect(body.rows).toMatchObject([
      {
        cells: ["one", "polish", 1, null, "2m43s", null, "manifests/one.yaml"],
        object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: { name: "one" } },
      },
    ]);
    expect(body.rows[0]?.object).not.toHaveProperty("spec");
    expect((await call(api, "GET", `${WIDGETS}/one`, undefined, TABLE)).body.rows).toHaveLength(1);
    expect((await call(api, "GET", `${WIDGETS}?includeObject=None`, undefined, TABLE)).body.rows[0]?.object).toBeNull();
    expect(
      (await call(api, "GET", `${WIDGETS}?includeObject=Object`, undefined, TABLE)).body.rows[0]?.object.spec.role,
    ).toBe("polish");
    expect((await call(api, "GET", `${WIDGETS}?includeObject=Some`, undefined, TABLE)).code).toBe(400);
    expect((await call(api, "GET", "/apis/town.dev/v1alpha1/rigs", undefined, TABLE)).body.rows[0]?.cells).toEqual([
      "api",
      "2m43s",
      "manifests/api.yaml",
    ]);
  });

  it("given metadata-only clients, when read, then nothing but metadata comes", async () => {
    const { api } = await withWidget();
    const { body } = await call(api, "GET", WIDGETS, undefined, PARTIAL_LIST);
    expect(body).toMatchObject({ kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" });
    expect(Object.keys(body.items[0] ?? {})).toEqual(["kind", "apiVersion", "metadata"]);
    expect(
      (
        await call(api, "GET", `${WIDGETS}/one`, undefined, {
          accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        })
      ).body,
    ).not.toHaveProperty("spec");
  });

  it("given a large answer, when gzip is accepted, then it is compressed, and small ones are not", async () => {
    const { api, store } = await widgetTown();
    for (let index = 0; index < 800; index += 1)
      await store.declare(
        { kind: "Widget", namespace: "api", name: `w${index}` },
        { spec: { role: "x", replicas: 1 }, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
      );
    const response = await api.app.request(`http://localhost${WIDGETS}`, {
      headers: { authorization: "Bearer admin", "accept-encoding": "gzip" },
    });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    const text = await new Response(response.body?.pipeThrough(new DecompressionStream("gzip"))).text();
    expect(JSON.parse(text).items).toHaveLength(800);
    expect(
      (await call(api, "GET", `${WIDGETS}/w1`, undefined, { "accept-encoding": "gzip" })).headers.get(
        "content-encoding",
      ),
    ).toBeNull();
  });
});

describe("updating", () => {
  it("given an object, when put, then spec and labels change, status and identity do not, and PUT of the same changes nothing", async () => {
    const { api, made, store, desired } = await withWidget();
    await store.patchStatus({ kind: "Widget", namespace: "api", name: "one" }, { note: "seen" });
    const current = (await call(api, "GET", `${WIDGETS}/one`)).body;
    const put = await call(api, "PUT", `${WIDGETS}/one`, {
      ...current,
      metadata: { ...current.metadata, labels: { a: "b" }, generation: 77 },
      spec: { role: "y" },
      status: { note: "mine" },
    });
    expect(put.body).toMatchObject({
      metadata: { uid: made.metadata.uid, generation: 2, labels: { a: "b" } },
      spec: { role: "y", replicas: 1 },
      status: { note: "seen" },
    });
    const writes = desired.writes.length;
    const same = await call(api, "PUT", `${WIDGETS}/one`, put.body);
    expect(same.body.metadata.resourceVersion).toBe(put.body.metadata.resourceVersion);
    expect(desired.writes.length).toBe(writes);
  });

  it("given merge and JSON patches, when applied, then as RFC 7386 and 6902 say", async () => {
    const { api } = await withWidget({ role: "x", color: "Red" });
    const merged = await call(api, "PATCH", `${WIDGETS}/one`, { spec: { color: null, replicas: 3 } }, MERGE);
    expect(merged.body.spec).toEqual({ role: "x", replicas: 3 });
    const patched = await call(
      api,
      "PATCH",
      `${WIDGETS}/one`,
      [
        { op: "test", path: "/spec/replicas", value: 3 },
        { op: "replace", path: "/spec/replicas", value: 4 },
        { op: "add", path: "/metadata/labels", value: { a: "b" } },
      ],
      JSON_PATCH,
    );
    expect(patched.body).toMatchObject({ metadata: { generation: 3, labels: { a: "b" } }, spec: { replicas: 4 } });
    const nothing = await call(api, "PATCH", `${WIDGETS}/one`, {}, MERGE);
    expect(nothing.body.metadata.resourceVersion).toBe(patched.body.metadata.resourceVersion);
  });

  it("given a dry-run patch, when applied, then the would-be object comes back and the real one stays", async () => {
    const { api, made } = await withWidget();
    const { body } = await call(
      api,
      "PATCH",
      `${WIDGETS}/one?dryRun=All`,
      { spec: { replicas: 9 }, metadata: { resourceVersion: made.metadata.resourceVersion } },
      MERGE,
    );
    expect(body).toMatchObject({
      metadata: { generation: 2, resourceVersion: made.metadata.resourceVersion },
      spec: { replicas: 9 },
    });
    expect((await call(api, "GET", `${WIDGETS}/one`)).body.spec.replicas).toBe(1);
  });

  it("given runtime annotations and finalizers, when patched, then no commit is made for them", async () => {
    const { api, desired } = await withWidget();
    const writes = desired.writes.length;
    const { body } = await call(
      api,
      "PATCH",
      `${WIDGETS}/one`,
      {
        metadata: {
          annotations: {
            "runtime.town.dev/restarted-at": "now",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
          },
          finalizers: ["town.dev/a"],
        },
      },
      MERGE,
    );
    expect(body.metadata).toMatchObject({
      generation: 1,
      annotations: { "runtime.town.dev/restarted-at": "now" },
      finalizers: ["town.dev/a"],
    });
    expect(desired.writes.length).toBe(writes);
  });

  it("given a patch without version that loses a race, when the writer says conflict, then it is tried again from the new state", async () => {
    const town = await withWidget();
    const write = town.desired.write.bind(town.desired);
    let raced = false;
    town.desired.write = async (change) => {
      if (!raced) {
        raced = true;
        await town.store.declare(change.key, {
          spec: { role: "theirs", replicas: 1 },
          origin: { source: "hq", path: "a", line: 1, revision: "r2" },
        });
        throw new ApiStatusError(409, "Conflict", "moved");
      }
      return write(change);
    };
    const { code, body } = await call(town.api, "PATCH", `${WIDGETS}/one`, { spec: { replicas: 3 } }, MERGE);
    expect([code, body.spec]).toEqual([200, { role: "theirs", replicas: 3 }]);
  });

  it("given status, when written through its subresource, then only status changes, and only there", async () => {
    const { api, made } = await withWidget();
    const patched = await call(
      api,
      "PATCH",
      `${WIDGETS}/one/status`,
      { spec: { replicas: 9 }, status: { note: "n", replicas: 1 } },
      MERGE,
    );
    expect(patched.body).toMatchObject({
      metadata: { generation: 1 },
      spec: { replicas: 1 },
      status: { note: "n", replicas: 1 },
    });
    const put = await call(api, "PUT", `${WIDGETS}/one/status`, {
      ...made,
      metadata: patched.body.metadata,
      status: { note: "m" },
    });
    expect(put.body.status).toEqual({ note: "m" });
    expect((await call(api, "GET", `${WIDGETS}/one/status`)).body.status).toEqual({ note: "m" });
    expect((await call(api, "PUT", `${WIDGETS}/one/status`, { ...made, status: {} })).code).toBe(409);
    expect(
      (await call(api, "PATCH", `${WIDGETS}/one/status?dryRun=All`, { status: { note: "dry" } }, MERGE)).body.status
        .note,
    ).toBe("dry");
    expect((await call(api, "GET", `${WIDGETS}/one`)).body.status).toEqual({ note: "m" });
  });

  it("given status fields that the schema does not know, when another is patched, then they stay", async () => {
    const { api, store } = await withWidget();
    await store.patchStatus({ kind: "Widget", namespace: "api", name: "one" }, { secretField: { deep: 1 } });
    const { body } = await call(api, "PATCH", `${WIDGETS}/one/status`, { status: { note: "n" } }, MERGE);
    expect(body.status).toEqual({ note: "n", secretField: { deep: 1 } });
    expect(
      (await call(api, "PATCH", `${WIDGETS}/one?fieldValidation=Strict`, { spec: { replicas: 2 } }, MERGE)).code,
    ).toBe(200);
  });

  it("given scale, when read, patched or put without a content type, then the spec follows through its writer", async () => {
    const { api, store, desired } = await withWidget();
    await store.patchStatus({ kind: "Widget", namespace: "api", name: "one" }, { replicas: 1, selector: "a=b" });
    const scale = (await call(api, "GET", `${WIDGETS}/one/scale`)).body;
    expect(scale).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name: "one", namespace: "api" },
      spec: { replicas: 1 },
      status: { replicas: 1, selector: "a=b" },
    });
    expect((await call(api, "PATCH", `${WIDGETS}/one/scale`, { spec: { replicas: 5 } }, MERGE)).body).toMatchObject({
      kind: "Scale",
      spec: { replicas: 5 },
    });
    const raw = await api.app.request(`http://localhost${WIDGETS}/one/scale`, {
      method: "PUT",
      headers: { authorization: "Bearer admin" },
      body: new TextEncoder().encode(
        JSON.stringify({
          kind: "Scale",
          apiVersion: "autoscaling/v1",
          metadata: { name: "one" },
          spec: { replicas: 6 },
        }),
      ),
    });
    expect(raw.status).toBe(200);
    expect(desired.writes.at(-1)?.after?.spec["replicas"]).toBe(6);
    expect(
      (
        await call(api, "PUT", `${WIDGETS}/one/scale`, {
          metadata: { resourceVersion: scale.metadata.resourceVersion },
          spec: { replicas: 7 },
        })
      ).code,
    ).toBe(409);
    const table = (await call(api, "GET", `${WIDGETS}/one/scale`, undefined, TABLE)).body;
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Desired", "Available", "Age"]);
    expect((await call(api, "GET", "/apis/town.dev/v1alpha1/rigs/api/scale")).code).toBe(404);
  });
});

describe("deleting", () => {
  it("given no finalizers, when deleted, then Success with the uid, and it is gone", async () => {
    const { api, made } = await withWidget();
    expect((await call(api, "DELETE", `${WIDGETS}/one`, { propagationPolicy: "Background" })).body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "one", group: "town.dev", kind: "widgets", uid: made.metadata.uid },
      code: 200,
    });
    expect((await call(api, "GET", `${WIDGETS}/one`)).code).toBe(404);
  });

  it("given finalizers, when deleted, then the object stays in deletion, takes no new finalizers, and goes with the last", async () => {
    const { api } = await withWidget();
    await call(api, "PATCH", `${WIDGETS}/one`, { metadata: { finalizers: ["town.dev/a", "town.dev/b"] } }, MERGE);
    const deleted = await call(api, "DELETE", `${WIDGETS}/one`);
    expect(deleted.body).toMatchObject({ kind: "Widget", metadata: { deletionGracePeriodSeconds: 0, generation: 2 } });
    expect(deleted.body.metadata.deletionTimestamp).toBe("2026-01-01T00:00:00Z");
    expect((await call(api, "DELETE", `${WIDGETS}/one`)).body.metadata.resourceVersion).toBe(
      deleted.body.metadata.resourceVersion,
    );
    const more = await call(
      api,
      "PATCH",
      `${WIDGETS}/one`,
      { metadata: { finalizers: ["town.dev/a", "town.dev/c"] } },
      MERGE,
    );
    expect([more.code, more.body.message]).toEqual([
      422,
      expect.stringContaining(
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted",
      ),
    ]);
    expect((await call(api, "PATCH", `${WIDGETS}/one`, { spec: { replicas: 2 } }, MERGE)).code).toBe(409);
    expect((await call(api, "POST", WIDGETS, widgetBody("one"))).body.message).toContain("object is being deleted");
    await call(api, "PATCH", `${WIDGETS}/one`, { metadata: { finalizers: ["town.dev/a"] } }, MERGE);
    await call(api, "PATCH", `${WIDGETS}/one`, { metadata: { finalizers: null } }, MERGE);
    expect((await call(api, "GET", `${WIDGETS}/one`)).code).toBe(404);
  });

  it("given a dry run, when deleted, then it stays", async () => {
    const { api } = await withWidget();
    expect((await call(api, "DELETE", `${WIDGETS}/one`, { dryRun: ["All"] })).body.status).toBe("Success");
    expect((await call(api, "DELETE", `${WIDGETS}?dryRun=All`)).body.items).toHaveLength(1);
    expect((await call(api, "GET", `${WIDGETS}/one`)).code).toBe(200);
  });

  it("given many, when the collection is deleted by selector, then those go and are listed", async () => {
    const { api } = await widgetTown();
    for (let index = 0; index < 250; index += 1)
      await call(
        api,
        "POST",
        WIDGETS,
        widgetBody(`w${index}`, undefined, { labels: { even: String(index % 2 === 0) } }),
      );
    const { body } = await call(api, "DELETE", `${WIDGETS}?labelSelector=even%3Dtrue`);
    expect([body.kind, body.items.length]).toEqual(["WidgetList", 125]);
    expect((await call(api, "GET", WIDGETS)).body.items).toHaveLength(125);
  });

  it("given dependents, when deleted in the foreground, orphaning or in the background, then they wait, live or go", async () => {
    const { api, store } = await widgetTown();
    for (const [policy, left] of [
      ["Foreground", []],
      ["Orphan", ["child"]],
      ["Background", []],
    ] as const) {
      await call(api, "POST", WIDGETS, widgetBody("owner"));
      const owner = store.get({ kind: "Widget", namespace: "api", name: "owner" }) as TownObject;
      await call(api, "POST", WIDGETS, widgetBody("child", undefined, { ownerReferences: [ownerReferenceTo(owner)] }));
      await call(api, "DELETE", `${WIDGETS}/owner`, { propagationPolicy: policy });
      await turn();
      expect([policy, (await call(api, "GET", WIDGETS)).body.items.map(({ metadata }) => metadata.name)]).toEqual([
        policy,
        left,
      ]);
      await call(api, "DELETE", WIDGETS);
    }
  });
});

describe("discovery", () => {
  const aggregated = (version: string) => ({
    accept: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`,
  });

  it("given new and old clients, when they discover, then each gets the version it asked for", async () => {
    const { api } = await widgetTown();
    for (const version of ["v2", "v2beta1"]) {
      const { body, headers } = await call(api, "GET", "/apis", undefined, aggregated(version));
      expect(headers.get("content-type")).toBe(
        `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      );
      expect(body).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: `apidiscovery.k8s.io/${version}` });
      expect(body.items.map(({ metadata }) => metadata.name)).toEqual(GROUPS);
      expect(body.items[0]?.versions[0]?.resources.find(({ resource }) => resource === "widgets")).toEqual({
        resource: "widgets",
        singularResource: "widget",
        scope: "Namespaced",
        shortNames: ["wi"],
        categories: ["all", "town"],
        responseKind: { group: "town.dev", version: "v1alpha1", kind: "Widget" },
        verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        subresources: [
          {
            subresource: "status",
            responseKind: { group: "town.dev", version: "v1alpha1", kind: "Widget" },
            verbs: ["get", "patch", "update"],
          },
          {
            subresource: "scale",
            responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
            verbs: ["get", "patch", "update"],
          },
        ],
      });
    }
    const core = (await call(api, "GET", "/api", undefined, aggregated("v2"))).body;
    expect(core.items[0]?.metadata).toEqual({});
    expect(core.items[0]?.versions[0]?.resources.map(({ resource }) => resource)).toEqual([
      "events",
      "namespaces",
      "pods",
      "services",
    ]);
  });

  it("given plain clients, when they discover, then the lists are there", async () => {
    const { api } = await widgetTown();
    expect((await call(api, "GET", "/api")).body).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    expect((await call(api, "GET", "/apis")).body.groups.map(({ name }) => name)).toEqual(GROUPS);
    expect((await call(api, "GET", "/apis/town.dev")).body).toMatchObject({
      kind: "APIGroup",
      name: "town.dev",
      preferredVersion: { groupVersion: "town.dev/v1alpha1" },
    });
    const { body } = await call(api, "GET", "/apis/town.dev/v1alpha1");
    expect(body.resources.map(({ name }) => name)).toEqual([
      "rigs",
      "rigs/status",
      "widgets",
      "widgets/status",
      "widgets/scale",
    ]);
    expect((await call(api, "GET", "/api/v1")).body.groupVersion).toBe("v1");
  });

  it("given a client that needs OpenAPI v2, when it asks, then it gets protobuf with every kind, and a 304 the second time", async () => {
    const { api } = await widgetTown();
    const type = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    const ask = (headers: Readonly<Record<string, string>>) =>
      api.app.request("http://localhost/openapi/v2", { headers: { authorization: "Bearer admin", ...headers } });
    const response = await ask({ accept: type });
    expect(response.headers.get("content-type")).toBe(type.replace("@", "."));
    const document = readFields(new Uint8Array(await response.arrayBuffer()));
    expect(textOf(document, 1)).toBe("2.0");
    const definitions = readFields(bytesOf(document, 9) ?? new Uint8Array()).map(({ value }) =>
      readFields(value as Uint8Array),
    );
    const definition = definitions.find((named) => textOf(named, 1) === "dev.town.v1alpha1.Widget") ?? [];
    const schema = readFields(bytesOf(definition, 2) ?? new Uint8Array());
    expect(textOf(schema, 4)).toBe("A Widget is a made-up thing.");
    const [, yaml] = readFields(bytesOf(schema, 31) ?? new Uint8Array());
    expect(JSON.parse(textOf(readFields(yaml?.value as Uint8Array), 2))).toEqual([
      { group: "town.dev", version: "v1alpha1", kind: "Widget" },
    ]);
    const paths = readFields(bytesOf(document, 8) ?? new Uint8Array()).map(({ value }) =>
      textOf(readFields(value as Uint8Array), 1),
    );
    expect(paths).toContain("/apis/town.dev/v1alpha1/namespaces/{namespace}/widgets/{name}");
    expect((await ask({ accept: type, "if-none-match": response.headers.get("etag") ?? "" })).status).toBe(304);
    expect((await ask({ accept: "application/json" })).status).toBe(406);
  });

  it("given OpenAPI, when fetched, then kind, PATCH with fieldValidation and caching by hash are there", async () => {
    const { api } = await widgetTown();
    const index = await call(api, "GET", "/openapi/v3");
    const url = index.body.paths["apis/town.dev/v1alpha1"]?.serverRelativeURL ?? "";
    expect(url).toMatch(/^\/openapi\/v3\/apis\/town\.dev\/v1alpha1\?hash=[0-9A-F]{32}$/);
    expect(
      (await call(api, "GET", "/openapi/v3", undefined, { "if-none-match": index.headers.get("etag") ?? "" })).code,
    ).toBe(304);
    const document = await call(api, "GET", url);
    expect(document.headers.get("cache-control")).toBe("public, immutable");
    const item = document.body.paths["/apis/town.dev/v1alpha1/namespaces/{namespace}/widgets/{name}"];
    expect(item?.patch["x-kubernetes-group-version-kind"]).toEqual({
      group: "town.dev",
      version: "v1alpha1",
      kind: "Widget",
    });
    expect(item?.patch.parameters.map(({ name }) => name)).toContain("fieldValidation");
    expect(document.body.components.schemas["dev.town.v1alpha1.Widget"]?.["x-kubernetes-group-version-kind"]).toEqual([
      { group: "town.dev", version: "v1alpha1", kind: "Widget" },
    ]);
    expect((await call(api, "GET", url, undefined, { "if-none-match": document.headers.get("etag") ?? "" })).code).toBe(
      304,
    );
  });

  it("given health and version paths, when asked, then as kubectl expects", async () => {
    const problems: string[] = [];
    const { api } = await widgetTown({ api: { problems: () => problems, version: "0.1.0" } });
    for (const path of ["/healthz", "/livez", "/readyz", "/livez/ping", "/healthz?verbose"])
      expect((await call(api, "GET", path)).text).toBe("ok");
    expect((await call(api, "GET", "/version")).body.gitVersion).toMatch(/^v1\.32\.0\+/);
    problems.push("journal cannot be written");
    expect(await call(api, "GET", "/readyz")).toMatchObject({
      code: 500,
      text: expect.stringContaining("[-]journal cannot be written"),
    });
    expect((await call(api, "POST", "/version")).code).toBe(405);
  });
});

describe("what operators see", () => {
  it("given metrics, when requests are served, then they are counted under names of the server's own", async () => {
    const counted: string[] = [];
    const metrics = {
      count: (name: string, labels: Readonly<Record<string, string>>) =>
        void counted.push(`${name} ${Object.values(labels).join(" ")}`),
      gauge: () => undefined,
      observeSeconds: () => undefined,
    };
    const { api } = await widgetTown({
      api: { metrics, exposition: async () => ({ contentType: "text/plain; version=0.0.4", text: "town_x 1\n" }) },
    });
    await call(api, "GET", WIDGETS);
    await call(api, "GET", `${WIDGETS}/none`);
    await call(api, "POST", "/apis/work.town.dev/v1alpha1/verbs/explain", { args: { resource: "wi" } });
    await call(api, "POST", "/apis/work.town.dev/v1alpha1/verbs/guessed", {});
    await call(api, "GET", "/nothing/here");
    expect(counted).toEqual([
      "town_api_requests_total GET widgets 200",
      "town_api_requests_total GET widgets 404",
      "town_api_requests_total POST verbs/explain 200",
      "town_api_requests_total POST other 404",
      "town_api_requests_total GET other 404",
    ]);
    expect((await call(api, "GET", "/metrics")).text).toBe("town_x 1\n");
    expect((await call((await widgetTown()).api, "GET", "/metrics")).code).toBe(404);
  });

  it("given pages for browsers, when got without a token, then they are served, and nothing else is", async () => {
    const pages = (path: string) =>
      path === "/dashboard" ? new Response("<html>", { headers: { "content-type": "text/html" } }) : undefined;
    const { api } = await widgetTown({ api: { pages } });
    expect((await call(api, "GET", "/dashboard", undefined, { authorization: "" })).text).toBe("<html>");
    expect((await call(api, "POST", "/dashboard", {}, { authorization: "" })).code).toBe(401);
    expect((await call(api, "GET", WIDGETS, undefined, { authorization: "" })).code).toBe(401);
    expect((await call(api, "GET", "/dashboard", undefined, { authorization: "", host: "evil.example" })).code).toBe(
      403,
    );
  });

  it("given a bug behind a verb, when called, then a Status 500 comes and the log has it", async () => {
    const log = keptLog();
    const { api } = await widgetTown({
      api: { log },
      verbs: [{ name: "break", summary: "Breaks.", needs: "view", run: async () => Promise.reject(new Error("oops")) }],
    });
    const answer = await call(api, "POST", "/apis/work.town.dev/v1alpha1/verbs/break", {});
    expect([answer.code, answer.body]).toMatchObject([
      500,
      { kind: "Status", reason: "InternalError", message: "Internal error occurred: oops" },
    ]);
    expect(log.lines).toEqual(["error request failed"]);
  });
});

describe("who may do what", () => {
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  const chore = { apiVersion: "work.town.dev/v1alpha1", kind: "Chore", metadata: { name: "c" }, spec: { title: "t" } };
  const CHORES = "/apis/work.town.dev/v1alpha1/namespaces/api/chores";

  it.each([
    "/version",
    "/healthz",
    "/api",
    "/apis",
    "/openapi/v3",
    WIDGETS,
    "/nothing",
    "/apis/work.town.dev/v1alpha1/verbs",
  ])("given no or a wrong token, when %s is asked, then 401 and nothing else", async (path) => {
    const { api } = await widgetTown();
    for (const authorization of ["", "Bearer nobody", "Basic YWRtaW46", "bearer"]) {
      const answer = await call(api, "GET", path, undefined, { authorization });
      expect([answer.code, answer.body]).toMatchObject([401, { reason: "Unauthorized" }]);
    }
  });

  it.each([
    ["view", "GET", WIDGETS, undefined, 200],
    ["view", "POST", WIDGETS, widgetBody("x"), 403],
    ["edit", "POST", WIDGETS, widgetBody("x"), 201],
    ["edit", "DELETE", "/apis/town.dev/v1alpha1/rigs/api", undefined, 403],
    ["admin", "DELETE", "/apis/town.dev/v1alpha1/rigs/api", undefined, 200],
    ["agent", "GET", WIDGETS, undefined, 200],
    ["agent", "POST", WIDGETS, widgetBody("x"), 403],
    ["agent", "POST", CHORES, chore, 201],
    ["agent", "DELETE", CHORES, undefined, 403],
  ])("given role %s, when %s %s, then %5$d", async (token, method, path, body, code) => {
    const { api } = await widgetTown();
    expect((await call(api, method, path, body, as(token))).code).toBe(code);
  });

  it("given verbs that need roles, when called, then only who may is served, with its caller", async () => {
    const seen: string[] = [];
    const verb = (name: string, needs: "view" | "edit" | "admin" | "agent") => ({
      name,
      summary: name,
      needs,
      run: async ({ caller }: { caller: { name: string; origin?: string } }) => (
        seen.push(`${caller.name} ${String(caller.origin)}`), { text: name }
      ),
    });
    const { api } = await widgetTown({
      verbs: [verb("look", "view"), verb("work", "agent"), verb("shout", "edit"), verb("rule", "admin")],
    });
    const codes: Record<string, readonly number[]> = {};
    for (const token of ["view", "edit", "admin", "agent"]) {
      codes[token] = await Promise.all(
        ["look", "work", "shout", "rule"].map(
          async (name) =>
            (
              await call(
                api,
                "POST",
                `/apis/work.town.dev/v1alpha1/verbs/${name}`,
                { args: {} },
                { ...as(token), "user-agent": "town/1" },
              )
            ).code,
        ),
      );
    }
    expect(codes).toEqual({
      view: [200, 403, 403, 403],
      edit: [200, 200, 200, 403],
      admin: [200, 200, 200, 200],
      agent: [200, 200, 200, 403],
    });
    expect(seen).toContain("api/polecats/toast town");
    expect((await call(api, "POST", "/apis/work.town.dev/v1alpha1/verbs/none", {})).body).toMatchObject({
      code: 404,
      message: expect.stringContaining("Known verbs: explain, look, rule, shout, work."),
    });
    expect((await call(api, "POST", "/apis/work.town.dev/v1alpha1/verbs/look", { args: [] })).code).toBe(400);
    expect((await call(api, "GET", "/apis/work.town.dev/v1alpha1/verbs/look")).body).toMatchObject({
      name: "look",
      needs: "view",
    });
    expect((await call(api, "GET", "/apis/work.town.dev/v1alpha1/verbs")).body.items).toHaveLength(5);
    expect((await call(api, "DELETE", "/apis/work.town.dev/v1alpha1/verbs/look")).code).toBe(405);
    expect(
      (await call(api, "POST", "/apis/work.town.dev/v1alpha1/verbs/explain", { args: { resource: "wi.spec.role" } }))
        .body.text,
    ).toContain("FIELD: role <string>");
  });

  it.each([
    [{ host: "evil.example" }, 403],
    [{ host: "127.0.0.1:1234" }, 200],
    [{ host: "[::1]:1" }, 200],
    [{ host: "localhost:1", origin: "https://evil.example" }, 403],
    [{ host: "localhost:1", origin: "https://localhost:1" }, 200],
    [{ host: "localhost:1", origin: "null" }, 403],
  ])("given headers %j of a browser, when asked, then %d", async (headers, code) => {
    const { api } = await widgetTown();
    expect((await call(api, "GET", "/version", undefined, headers)).code).toBe(code);
  });

  it("given writes, when done, then Events tell who did what from where, and no-ops and dry runs leave none", async () => {
    const { api, store } = await withWidget();
    await call(
      api,
      "PATCH",
      `${WIDGETS}/one`,
      { spec: { replicas: 2 }, metadata: { labels: { a: "b" } } },
      { ...MERGE, ...as("edit"), "kubectl-command": "kubectl patch" },
    );
    await call(api, "PATCH", `${WIDGETS}/one`, { spec: { replicas: 2 } }, MERGE);
    await call(api, "PATCH", `${WIDGETS}/one?dryRun=All`, { spec: { replicas: 3 } }, MERGE);
    await call(api, "DELETE", `${WIDGETS}/one`);
    const messages = (
      await call(
        api,
        "GET",
        "/api/v1/namespaces/api/events?fieldSelector=involvedObject.kind%3DWidget,involvedObject.name%3Done",
      )
    ).body.items.map(({ reason, message }) => `${reason}: ${message}`);
    expect(messages.sort()).toEqual([
      "Created: overseer created it",
      "Deleted: overseer deleted it",
      "Patched: ed@example.org (kubectl patch) changed metadata.labels, spec.replicas",
    ]);
    expect(store.list("Event")).toHaveLength(3);
  });

  it("given verbs, when people call those that change something, then Events on the town tell, without the arguments", async () => {
    const verb = (name: string, needs: Verb["needs"]): Verb => ({
      name,
      summary: name,
      needs,
      run: () => Promise.resolve({ text: "" }),
    });
    const { api, store } = await widgetTown({
      verbs: [verb("look", "view"), verb("own", "agent"), verb("sling", "edit"), verb("open", "admin")],
    });
    const say = (name: string, who: string) =>
      call(
        api,
        "POST",
        `/apis/work.town.dev/v1alpha1/verbs/${name}`,
        { args: { token: "secret" } },
        { ...as(who), "user-agent": "town/1" },
      );
    for (const name of ["look", "own", "sling", "open"]) expect((await say(name, "admin")).code).toBe(200);
    expect((await say("sling", "edit")).code).toBe(200);
    expect((await say("open", "edit")).code).toBe(403);
    expect((await say("sling", "agent")).code).toBe(403);
    const events = store.list("Event") as unknown as readonly {
      reason: string;
      message: string;
      involvedObject: unknown;
    }[];
    const told = events.filter(({ reason }) => reason === "VerbCalled");
    expect(told.map(({ reason, message }) => `${reason}: ${message}`).sort()).toEqual([
      "VerbCalled: ed@example.org (town) called sling",
      "VerbCalled: overseer (town) called open",
      "VerbCalled: overseer (town) called sling",
    ]);
    expect(told[0]?.involvedObject).toMatchObject({ kind: "Town", name: "hq" });
    expect(JSON.stringify(events)).not.toContain("secret");
  });

  it("given a wish to act for somebody else, when sent, then it is refused and not ignored", async () => {
    const { api } = await withWidget();
    const answer = await call(api, "DELETE", `${WIDGETS}/one`, undefined, { "impersonate-user": "vera@example.org" });
    expect([answer.code, answer.body.message]).toEqual([403, expect.stringContaining("cannot impersonate")]);
    expect((await call(api, "GET", `${WIDGETS}/one`)).code).toBe(200);
  });

  it.each([
    ["resourceVersionMatch=Exact", 422, "unless resourceVersion is provided"],
    ["resourceVersionMatch=Newer&resourceVersion=1", 422, 'Unsupported value: "Newer"'],
    ["resourceVersionMatch=Exact&resourceVersion=0", 422, 'is forbidden for resourceVersion "0"'],
    ["resourceVersionMatch=NotOlderThan&resourceVersion=1&continue=x&limit=1", 422, "when continue is provided"],
    ["resourceVersionMatch=Exact&resourceVersion=1", 410, "only the current one"],
    ["resourceVersionMatch=NotOlderThan&resourceVersion=0", 200, ""],
    ["resourceVersion=999999999999999", 504, "Too large resource version"],
  ])("given %s, when listed, then the answer is %i", async (query, code, message) => {
    const { api } = await withWidget();
    const answer = await call(api, "GET", `${WIDGETS}?${query}`);
    expect(answer.code).toBe(code);
    if (code !== 200) expect(answer.body.message).toContain(message);
  });

  it("given somebody who oversteps, when refused, then the log tells who, from where and what", async () => {
    const log = keptLog();
    const told = vi.spyOn(log, "info");
    const { api } = await widgetTown({ api: { log } });
    await call(api, "DELETE", `${WIDGETS}/one`, undefined, { ...as("view"), "kubectl-command": "kubectl delete" });
    expect(told).toHaveBeenCalledWith(
      { caller: "vera@example.org", origin: "kubectl delete", method: "DELETE", path: `${WIDGETS}/one` },
      "refused",
    );
  });
});

describe("views", () => {
  it("given rigs, when namespaces are read, then one for each and the built-in ones", async () => {
    const { api } = await widgetTown();
    const { body } = await call(api, "GET", "/api/v1/namespaces");
    expect(body.items.map(({ metadata, status }) => `${metadata.name} ${status.phase}`)).toEqual([
      "api Active",
      "default Active",
      "hq Active",
    ]);
    expect((await call(api, "GET", "/api/v1/namespaces/hq")).body).toMatchObject({
      kind: "Namespace",
      metadata: { name: "hq", labels: { "kubernetes.io/metadata.name": "hq" } },
    });
    expect((await call(api, "GET", "/api/v1/namespaces/none")).code).toBe(404);
    expect((await call(api, "GET", "/api/v1/namespaces?fieldSelector=metadata.name%3Dhq")).body.items).toHaveLength(1);
  });

  it("given a rig in deletion, when its namespace is used, then it terminates and takes nothing new", async () => {
    const { api } = await widgetTown();
    await call(api, "PATCH", "/apis/town.dev/v1alpha1/rigs/api", { metadata: { finalizers: ["town.dev/a"] } }, MERGE);
    await call(api, "DELETE", "/apis/town.dev/v1alpha1/rigs/api");
    expect((await call(api, "GET", "/api/v1/namespaces/api")).body.status.phase).toBe("Terminating");
    expect((await call(api, "POST", WIDGETS, widgetBody("x"))).body).toMatchObject({
      code: 403,
      message: expect.stringContaining("it is being terminated"),
    });
  });

  it("given sessions, when read as pods, then phase, container and owner are told", async () => {
    const { api, store } = await widgetTown();
    const publish = (name: string, status: Record<string, unknown>) =>
      store.publish(
        { kind: "Session", namespace: "api", name },
        { labels: { pool: "cats" }, spec: { provider: "claude", generation: 3 }, status },
      );
    await publish("up", { state: "Running", startTime: "2025-12-31T23:59:00Z" });
    await publish("done", { state: "Exited", exitCode: 0 });
    await publish("failed", { state: "Exited", exitCode: 2 });
    await publish("lost", { state: "Unknown" });
    const pods = (await call(api, "GET", "/api/v1/namespaces/api/pods?labelSelector=pool%3Dcats")).body.items;
    expect(pods.map(({ metadata, status }) => `${metadata.name} ${status.phase}`)).toEqual([
      "done Succeeded",
      "failed Failed",
      "lost Unknown",
      "up Running",
    ]);
    expect(pods[3]).toMatchObject({
      kind: "Pod",
      metadata: { labels: { pool: "cats" }, ownerReferences: [{ kind: "Session", name: "up" }] },
      spec: { containers: [{ name: "agent", image: "claude" }] },
      status: {
        containerStatuses: [
          { name: "agent", ready: true, restartCount: 2, state: { running: { startedAt: "2025-12-31T23:59:00Z" } } },
        ],
      },
    });
    expect(
      (await call(api, "GET", "/api/v1/namespaces/api/pods?fieldSelector=status.phase%3DRunning")).body.items,
    ).toHaveLength(1);
    expect(
      (await call(api, "GET", "/api/v1/pods", undefined, TABLE)).body.rows.map(({ cells }) => cells),
    ).toContainEqual(["up", "1/1", "Running", 2, "0s", "<none>", "localhost"]);
  });

  it("given no kind of sessions, when pods are asked for, then there is no such resource", async () => {
    const { api } = await widgetTown({ api: { sessionKind: "Nothing" } });
    expect((await call(api, "GET", "/api/v1/namespaces/api/pods")).code).toBe(404);
  });

  it("given output of a session, when its log is read, then by tail, age and with times", async () => {
    const asked: unknown[] = [];
    const now = Date.UTC(2026, 0, 1);
    const logs = {
      lines: async (
        _session: TownObject,
        request: { readonly previous: boolean; readonly follow: boolean; readonly tailLines?: number },
      ) => {
        asked.push([request.previous, request.follow, request.tailLines]);
        if (request.previous) return undefined;
        return (async function* () {
          yield { text: "old", timeMs: now - 60_000 };
          yield { text: "new ü", timeMs: now - 1_000 };
        })();
      },
    };
    const { api, store } = await widgetTown({ api: { logs } });
    await store.publish({ kind: "Session", namespace: "api", name: "s" }, { spec: {}, status: {} });
    const log = (query: string) => call(api, "GET", `/api/v1/namespaces/api/pods/s/log${query}`);
    expect((await log("")).text).toBe("old\nnew ü\n");
    expect((await log("?container=agent&follow=true&tailLines=5&sinceSeconds=30&timestamps=true")).text).toBe(
      "2025-12-31T23:59:59.000000000Z new ü\n",
    );
    expect((await log("?limitBytes=5")).text).toBe("old\nn");
    expect((await log("?sinceTime=2025-12-31T23:59:30Z")).text).toBe("new ü\n");
    expect((await log("?previous=true")).body).toMatchObject({
      code: 400,
      message: 'previous terminated container "agent" in pod "s" not found',
    });
    expect((await log("?container=other")).body.message).toBe("container other is not valid for pod s");
    expect((await log("?tailLines=-1")).code).toBe(400);
    expect((await log("?sinceSeconds=1&sinceTime=2025-12-31T23:59:30Z")).code).toBe(400);
    expect((await call(api, "GET", "/api/v1/namespaces/api/pods/none/log")).code).toBe(404);
    expect((await log("")).headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(asked[1]).toEqual([false, true, 5]);
  });
});
