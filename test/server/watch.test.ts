import { afterEach, describe, expect, it } from "vitest";
import { call, widgetBody, WIDGETS, type WidgetTown, widgetTown } from "./widget-town.ts";

const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
const MERGE = { "content-type": "application/merge-patch+json" };

interface Line {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly code: number;
    readonly reason: string;
    readonly metadata: {
      readonly name: string;
      readonly resourceVersion: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec?: Readonly<Record<string, unknown>>;
    readonly columnDefinitions?: readonly unknown[] | null;
    readonly rows?: readonly { readonly cells: readonly unknown[] }[];
  };
}

/** A watch that is read line by line. */
class Watching {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";
  ended = false;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  async next(): Promise<Line | undefined> {
    for (;;) {
      const at = this.#text.indexOf("\n");
      if (at !== -1) {
        const line = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + 1);
        return JSON.parse(line) as Line;
      }
      const chunk = await this.#reader.read();
      if (chunk.done) {
        this.ended = true;
        return undefined;
      }
      this.#text += new TextDecoder().decode(chunk.value);
    }
  }

  async take(count: number): Promise<readonly string[]> {
    const lines: string[] = [];
    for (let index = 0; index < count; index += 1) lines.push(told(await this.next()));
    return lines;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

const told = (line: Line | undefined): string =>
  line === undefined ? "end" : `${line.type} ${line.object.metadata.name}`;
const open: Watching[] = [];

async function watching(
  town: WidgetTown,
  query: string,
  headers: Readonly<Record<string, string>> = {},
  path = WIDGETS,
): Promise<Watching> {
  const response = await town.api.app.request(`http://localhost${path}?watch=true${query}`, {
    headers: { authorization: "Bearer admin", ...headers },
  });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
  const watch = new Watching(response.body as ReadableStream<Uint8Array>);
  open.push(watch);
  return watch;
}

const make = (town: WidgetTown, name: string, labels: Readonly<Record<string, string>> = {}) =>
  call(town.api, "POST", WIDGETS, widgetBody(name, undefined, { labels }));
const label = (town: WidgetTown, name: string, value: string | null) =>
  call(town.api, "PATCH", `${WIDGETS}/${name}`, { metadata: { labels: { a: value } } }, MERGE);

afterEach(async () => {
  await Promise.all(open.splice(0).map((watch) => watch.cancel()));
});

describe("watching", () => {
  it.each([
    "",
    "&resourceVersion=",
    "&resourceVersion=0",
  ])("given version '%s', when watched, then all there is comes first, then changes", async (query) => {
    const town = await widgetTown();
    await make(town, "b");
    await make(town, "a");
    const watch = await watching(town, query);
    expect(await watch.take(2)).toEqual(["ADDED a", "ADDED b"]);
    await make(town, "c");
    await label(town, "a", "x");
    await call(town.api, "DELETE", `${WIDGETS}/b`);
    expect(await watch.take(3)).toEqual(["ADDED c", "MODIFIED a", "DELETED b"]);
  });

  it("given a version, when watched, then only what came after it, with nothing lost in between", async () => {
    const town = await widgetTown();
    await make(town, "a");
    const { resourceVersion } = (await call(town.api, "GET", WIDGETS)).body.metadata;
    await make(town, "b");
    await call(town.api, "DELETE", `${WIDGETS}/a`);
    const watch = await watching(town, `&resourceVersion=${resourceVersion}`);
    await make(town, "c");
    expect(await watch.take(3)).toEqual(["ADDED b", "DELETED a", "ADDED c"]);
  });

  it("given a deletion, when told, then its version is that of the deletion", async () => {
    const town = await widgetTown();
    await make(town, "a");
    const watch = await watching(town, `&resourceVersion=${town.store.currentVersion()}`);
    await call(town.api, "DELETE", `${WIDGETS}/a`);
    const line = await watch.next();
    expect(Number(line?.object.metadata.resourceVersion)).toBeGreaterThan(
      Number((await call(town.api, "GET", "/apis/town.dev/v1alpha1/rigs/api")).body.metadata.resourceVersion),
    );
    expect(line?.object.spec).toEqual({ role: "polish", replicas: 1 });
  });

  it.each([
    "1",
    "999999999999999",
  ])("given version %s which the server does not know any more, when watched, then one ERROR 410 and the end", async (version) => {
    const town = await widgetTown();
    const watch = await watching(town, `&resourceVersion=${version}`);
    const line = await watch.next();
    expect(line).toMatchObject({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } });
    expect(await watch.next()).toBeUndefined();
    expect(town.api.watches()).toBe(0);
  });

  it("given a selector, when objects come to match or cease to, then they are ADDED or DELETED", async () => {
    const town = await widgetTown();
    await make(town, "in", { a: "x" });
    await make(town, "out", { a: "y" });
    const watch = await watching(town, "&labelSelector=a%3Dx");
    expect(await watch.take(1)).toEqual(["ADDED in"]);
    await label(town, "out", "x");
    await label(town, "in", "y");
    await label(town, "in", "z");
    await call(town.api, "PATCH", `${WIDGETS}/out`, { spec: { replicas: 2 } }, MERGE);
    await call(town.api, "DELETE", `${WIDGETS}/in`);
    await call(town.api, "DELETE", `${WIDGETS}/out`);
    expect(await watch.take(4)).toEqual(["ADDED out", "DELETED in", "MODIFIED out", "DELETED out"]);
  });

  it("given one object by name, as kubectl get NAME -w asks, when watched, then it is replayed and others are not told", async () => {
    const town = await widgetTown();
    await make(town, "a");
    const watch = await watching(town, "&resourceVersion=0&fieldSelector=metadata.name%3Da");
    expect(await watch.take(1)).toEqual(["ADDED a"]);
    await make(town, "b");
    await label(town, "a", "x");
    expect(await watch.take(1)).toEqual(["MODIFIED a"]);
  });

  it("given other namespaces and kinds, when they change, then a namespaced watch is silent about them", async () => {
    const town = await widgetTown();
    const watch = await watching(town, "");
    await town.store.declare(
      { kind: "Widget", namespace: "hq", name: "far" },
      { spec: { role: "x", replicas: 1 }, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
    );
    await make(town, "near");
    expect(await watch.take(1)).toEqual(["ADDED near"]);
    const everywhere = await watching(town, "", {}, "/apis/town.dev/v1alpha1/widgets");
    expect(await everywhere.take(2)).toEqual(["ADDED near", "ADDED far"]);
  });

  it("given the Table form, when watched, then each event is a row and only the first has columns", async () => {
    const town = await widgetTown();
    const watch = await watching(town, "", TABLE);
    await make(town, "a");
    await make(town, "b");
    const [first, second] = [await watch.next(), await watch.next()];
    expect(first).toMatchObject({
      type: "ADDED",
      object: { kind: "Table", rows: [{ cells: ["a", "polish", 1, null, "0s", null, "manifests/a.yaml"] }] },
    });
    expect(first?.object.columnDefinitions).toHaveLength(7);
    expect(second?.object.columnDefinitions).toBeNull();
    const later = await watching(town, "&resourceVersion=0", TABLE);
    expect([
      (await later.next())?.object.columnDefinitions?.length,
      (await later.next())?.object.columnDefinitions,
    ]).toEqual([7, null]);
  });

  it("given sendInitialEvents, when watched, then the end of what there is is marked", async () => {
    const town = await widgetTown();
    await make(town, "a");
    const watch = await watching(
      town,
      "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
    );
    expect(await watch.take(1)).toEqual(["ADDED a"]);
    const mark = await watch.next();
    expect(mark).toMatchObject({
      type: "BOOKMARK",
      object: {
        kind: "Widget",
        metadata: {
          resourceVersion: town.store.currentVersion(),
          annotations: { "k8s.io/initial-events-end": "true" },
        },
      },
    });
    const { code } = await call(town.api, "GET", `${WIDGETS}?watch=true&sendInitialEvents=true`);
    expect(code).toBe(422);
  });

  it("given bookmarks, when a minute passes, then the version moves on without changes; without them nothing comes", async () => {
    const town = await widgetTown();
    const watch = await watching(town, "&allowWatchBookmarks=true");
    const plain = await watching(town, "&timeoutSeconds=120");
    await town.store.declare(
      { kind: "Rig", name: "other" },
      { spec: {}, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
    );
    await town.clock.advance(61_000);
    expect(await watch.next()).toEqual({
      type: "BOOKMARK",
      object: {
        kind: "Widget",
        apiVersion: "town.dev/v1alpha1",
        metadata: { resourceVersion: town.store.currentVersion(), creationTimestamp: null },
      },
    });
    await town.clock.advance(60_000);
    expect(await plain.next()).toBeUndefined();
  });

  it("given timeoutSeconds, when they are over, then the stream ends in order, and without them it does not", async () => {
    const town = await widgetTown();
    const timed = await watching(town, "&timeoutSeconds=30");
    const endless = await watching(town, "");
    await town.clock.advance(31_000);
    expect(await timed.next()).toBeUndefined();
    expect(town.api.watches()).toBe(1);
    await town.clock.advance(24 * 3_600_000);
    await make(town, "a");
    expect(await endless.take(1)).toEqual(["ADDED a"]);
  });

  it("given a watcher that leaves, when objects change, then it is forgotten", async () => {
    const town = await widgetTown();
    const watch = await watching(town, "");
    expect(town.api.watches()).toBe(1);
    await watch.cancel();
    expect(town.api.watches()).toBe(0);
    await make(town, "a");
  });

  it("given a watcher that does not read, when too much waits, then it is cut off with 410 and others go on", async () => {
    const town = await widgetTown();
    const slow = await watching(town, "");
    const quick = await watching(town, "");
    const big = "x".repeat(100_000);
    const reading = (async () => {
      for (let index = 0; index < 120; index += 1) await quick.next();
    })();
    for (let index = 0; index < 120; index += 1) {
      await town.store.declare(
        { kind: "Widget", namespace: "api", name: "a" },
        { spec: { role: `${index}${big}`, replicas: 1 }, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
      );
      await new Promise((done) => setImmediate(done));
    }
    await reading;
    const lines: string[] = [];
    for (let line = await slow.next(); line !== undefined; line = await slow.next())
      lines.push(`${line.type} ${String(line.object.code)}`);
    expect(lines.at(-1)).toBe("ERROR 410");
    expect(lines.length).toBeLessThan(10);
    expect(town.api.watches()).toBe(1);
    const { body } = await call(town.api, "GET", WIDGETS);
    const resumed = await watching(town, `&resourceVersion=${body.metadata.resourceVersion}`);
    await call(town.api, "PATCH", `${WIDGETS}/a`, { spec: { role: "after" } }, MERGE);
    expect(body.items.map(({ spec }) => spec.role.slice(0, 4))).toEqual(["119x"]);
    expect((await resumed.next())?.object.spec).toMatchObject({ role: "after" });
  });

  it("given a long list, when a watch begins, then all of it comes although it is more than may wait", async () => {
    const town = await widgetTown();
    const big = "x".repeat(20_000);
    for (let index = 0; index < 600; index += 1) {
      await town.store.declare(
        { kind: "Widget", namespace: "api", name: `w${String(index).padStart(4, "0")}` },
        { spec: { role: big, replicas: 1 }, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
      );
    }
    const watch = await watching(town, "");
    await make(town, "z");
    const names = await watch.take(601);
    expect([names[0], names[599], names[600]]).toEqual(["ADDED w0000", "ADDED w0599", "ADDED z"]);
  });

  it("given the server ends, when watches are open, then they end after what was told", async () => {
    const town = await widgetTown();
    const watch = await watching(town, "");
    await make(town, "a");
    town.api.close();
    expect(await watch.take(2)).toEqual(["ADDED a", "end"]);
  });

  it("given namespaces, pods and events, when watched, then their sources' changes are told in their form", async () => {
    const town = await widgetTown();
    const namespaces = await watching(town, "", {}, "/api/v1/namespaces");
    expect(await namespaces.take(3)).toEqual(["ADDED api", "ADDED default", "ADDED hq"]);
    const pods = await watching(town, "", {}, "/api/v1/pods");
    const events = await watching(
      town,
      "&fieldSelector=involvedObject.kind%3DWidget",
      {},
      "/api/v1/namespaces/api/events",
    );
    await town.store.declare(
      { kind: "Rig", name: "web" },
      { spec: {}, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
    );
    await town.store.publish({ kind: "Session", namespace: "api", name: "s" }, { spec: {}, status: {} });
    await make(town, "a");
    expect((await namespaces.next())?.object).toMatchObject({ kind: "Namespace", metadata: { name: "web" } });
    expect((await pods.next())?.object).toMatchObject({ kind: "Pod", metadata: { name: "s" } });
    expect((await events.next())?.object).toMatchObject({ kind: "Event", reason: "Created" });
  });

  it("given many watchers, when one object changes, then all are told the same bytes", async () => {
    const town = await widgetTown();
    const watches = await Promise.all(Array.from({ length: 50 }, () => watching(town, "")));
    await make(town, "a");
    const lines = await Promise.all(watches.map((watch) => watch.next()));
    expect(new Set(lines.map((line) => JSON.stringify(line))).size).toBe(1);
  });
});
