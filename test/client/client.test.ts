import { describe, expect, it } from "vitest";
import { connect } from "../../src/client/client.ts";
import { fetchTransport } from "../../src/client/fetch-transport.ts";
import type { Transport, TransportResponse } from "../../src/client/transport.ts";
import { widgetBody, widgetTown } from "../server/widget-town.ts";

/** Answers each request with the next body; a function is called with the path. */
function scripted(
  answers: readonly { readonly status?: number; readonly body: string | readonly string[] }[],
): Transport & { readonly paths: string[] } {
  const paths: string[] = [];
  return {
    paths,
    send: async ({ path, signal }): Promise<TransportResponse> => {
      const answer = answers[paths.length];
      paths.push(path);
      if (answer === undefined || signal?.aborted === true) throw new Error("nothing more is scripted");
      const { status = 200, body } = answer;
      const chunks = typeof body === "string" ? [body] : body;
      return {
        status,
        headers: {},
        body: (async function* () {
          for (const chunk of chunks) yield new TextEncoder().encode(chunk);
        })(),
        discard: () => undefined,
      };
    },
    close: () => undefined,
  };
}

const WIDGETS = {
  group: "town.dev",
  version: "v1alpha1",
  kind: "Widget",
  plural: "widgets",
  singular: "widget",
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: [],
  subresources: [],
};
const object = (name: string, resourceVersion: string) => ({
  apiVersion: "a",
  kind: "Widget",
  metadata: { name, resourceVersion },
  spec: {},
});
const line = (type: string, value: unknown) => `${JSON.stringify({ type, object: value })}\n`;
const list = (resourceVersion: string, ...names: readonly string[]) =>
  JSON.stringify({
    kind: "WidgetList",
    metadata: { resourceVersion },
    items: names.map((name) => object(name, resourceVersion)),
  });

describe("a client without a socket", () => {
  it("given the server's routes in this process, when used, then everything works as over a socket", async () => {
    const town = await widgetTown();
    const client = connect({ server: fetchTransport((request) => town.api.app.fetch(request)), token: "admin" });
    const widgets = await client.resource("Widget");
    const stop = new AbortController();
    const told: string[] = [];
    const watching = (async () => {
      for await (const event of client.watch(widgets, { namespace: "api", signal: stop.signal })) {
        if (event.type === "RESET" || event.type === "BOOKMARK") continue;
        told.push(`${event.type} ${event.object.metadata.name}`);
        if (event.type === "DELETED") stop.abort();
      }
    })();
    await client.create(widgets, widgetBody("one"), { namespace: "api" });
    await client.patch(
      widgets,
      { namespace: "api", name: "one" },
      [{ op: "replace", path: "/spec/replicas", value: 3 }],
      { type: "json" },
    );
    expect((await client.get(widgets, { namespace: "api", name: "one" })).spec["replicas"]).toBe(3);
    expect((await client.get(widgets, { namespace: "api", name: "one" }, { subresource: "scale" })).kind).toBe("Scale");
    expect((await client.getTable(widgets, { namespace: "api", name: "one" })).rows).toHaveLength(1);
    expect((await client.create(widgets, widgetBody("two"), { namespace: "api", dryRun: true })).metadata.name).toBe(
      "two",
    );
    expect(
      (await client.deleteAll(widgets, { namespace: "api", fieldSelector: "metadata.name=one" })).items,
    ).toHaveLength(1);
    await watching;
    expect(told).toEqual(["ADDED one", "MODIFIED one", "DELETED one"]);
    expect(town.api.watches()).toBe(0);
  });

  it("given pages, when listed with limit, then the next page goes on", async () => {
    const town = await widgetTown();
    const client = connect({ server: fetchTransport((request) => town.api.app.fetch(request)), token: "admin" });
    const widgets = await client.resource("widgets");
    for (const name of ["a", "b", "c"]) await client.create(widgets, widgetBody(name), { namespace: "api" });
    const first = await client.listTable(widgets, { limit: 2 });
    const second = await client.listTable(widgets, { limit: 2, continue: first.metadata.continue ?? "" });
    expect([...first.rows, ...second.rows].map(({ cells }) => cells[0])).toEqual(["a", "b", "c"]);
  });

  it("given a wrong field, when created, then it is refused by default and the cause is told", async () => {
    const town = await widgetTown();
    const client = connect({ server: fetchTransport((request) => town.api.app.fetch(request)), token: "admin" });
    const widgets = await client.resource("widgets");
    await expect(
      client.create(widgets, widgetBody("a", { role: "x", rol: 1 }), { namespace: "api" }),
    ).rejects.toMatchObject({ code: 400, message: expect.stringContaining("spec.rol") });
    await expect(client.create(widgets, widgetBody("a", {}), { namespace: "api" })).rejects.toMatchObject({
      code: 422,
      causes: [{ field: "spec.role", reason: "FieldValueRequired" }],
    });
  });
});

describe("watches", () => {
  it("given lines cut anywhere, when watched, then events are whole", async () => {
    const text = line("ADDED", object("ä", "1")) + line("MODIFIED", object("b", "2"));
    const bytes = [text.slice(0, 7), text.slice(7, 60), text.slice(60)];
    const client = connect({ server: scripted([{ body: bytes }]), token: "x" });
    const told: string[] = [];
    for await (const event of client.watch(WIDGETS))
      if (event.type === "ADDED" || event.type === "MODIFIED") told.push(event.object.metadata.name);
    expect(told).toEqual(["ä", "b"]);
  });

  it("given an ERROR event or a stream that ends within one, when watched once, then it is thrown", async () => {
    const failing = connect({
      server: scripted([
        { body: line("ERROR", { kind: "Status", code: 410, reason: "Expired", message: "too old" }) },
        { body: '{"type":"ADD' },
        { body: "no json\n" },
      ]),
      token: "x",
    });
    const all = async () => {
      for await (const _event of failing.watch(WIDGETS)) continue;
    };
    await expect(all()).rejects.toMatchObject({ code: 410, reason: "Expired" });
    await expect(all()).rejects.toMatchObject({ reason: "BrokenStream" });
    await expect(all()).rejects.toMatchObject({ reason: "BrokenStream" });
  });

  it("given a reconnecting watch, when the stream ends, breaks or expires, then it goes on from the last version or lists anew", async () => {
    const transport = scripted([
      { body: list("5", "a") },
      { body: line("ADDED", object("b", "6")) + line("BOOKMARK", { metadata: { resourceVersion: "8" } }) },
      { body: line("MODIFIED", object("b", "9")) + '{"broken' },
      { body: line("ERROR", { kind: "Status", code: 410, reason: "Expired", message: "too old" }) },
      { body: list("20", "c", "d") },
    ]);
    const client = connect({ server: transport, token: "x" });
    const stop = new AbortController();
    const told: string[] = [];
    const lost: unknown[] = [];
    for await (const event of client.watch(WIDGETS, {
      namespace: "api",
      reconnect: true,
      signal: stop.signal,
      disconnected: (error) => lost.push(error),
    })) {
      told.push(
        event.type === "RESET"
          ? `RESET ${event.items.map(({ metadata }) => metadata.name).join(" ")}`
          : `${event.type} ${"metadata" in event.object ? String((event.object.metadata as { name?: string }).name) : ""}`,
      );
      if (told.length === 4) stop.abort();
    }
    expect(told).toEqual(["RESET a", "ADDED b", "MODIFIED b", "RESET c d"]);
    expect(
      transport.paths
        .filter((path) => path.includes("watch"))
        .map((path) => new URLSearchParams(path.split("?")[1]).get("resourceVersion")),
    ).toEqual(["5", "8", "9"]);
    expect(lost).toMatchObject([{ reason: "BrokenStream" }]);
  });

  it("given a refusal that will not change, when a reconnecting watch begins, then it is thrown", async () => {
    const client = connect({
      server: scripted([
        { status: 403, body: JSON.stringify({ kind: "Status", code: 403, reason: "Forbidden", message: "no" }) },
      ]),
      token: "x",
    });
    await expect(client.watch(WIDGETS, { reconnect: true }).next()).rejects.toMatchObject({ code: 403 });
  });

  it("given answers that are no Status, when failing, then the text is the message", async () => {
    const client = connect({
      server: scripted([{ status: 404, body: "404 page not found\n" }, { status: 502, body: "" }, { body: "<html>" }]),
      token: "x",
    });
    await expect(client.json("/a")).rejects.toMatchObject({
      code: 404,
      reason: "NotFound",
      message: "404 page not found",
    });
    await expect(client.json("/b")).rejects.toMatchObject({ code: 502, message: "the server answered 502" });
    await expect(client.json("/c")).rejects.toMatchObject({ reason: "NotJson" });
  });
});
