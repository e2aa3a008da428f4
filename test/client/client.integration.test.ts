import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Client, connect } from "../../src/client/client.ts";
import { type Listener, listenOnSocket } from "../../src/server/listen.ts";
import { widgetBody, type WidgetTown, widgetTown } from "../server/widget-town.ts";

let directory: string;
let town: WidgetTown;
let listener: Listener;
let client: Client;
let slow: () => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "town-client-"));
  town = await widgetTown({
    verbs: [
      {
        name: "shout",
        summary: "Shouts.",
        needs: "agent",
        run: async ({ args }) => ({ text: String(args["word"]).toUpperCase(), exitCode: 3 }),
      },
      {
        name: "wait",
        summary: "Waits.",
        needs: "view",
        run: () =>
          new Promise((resolve) => {
            slow = () => resolve({ text: "done" });
          }),
      },
    ],
  });
  listener = await listenOnSocket(town.api, join(directory, "run", "town.sock"));
  client = connect({ server: { socketPath: listener.address as string }, token: "admin" });
});

afterEach(async () => {
  client.close();
  town.api.close();
  await listener.close();
  await rm(directory, { recursive: true, force: true });
});

describe("client over a unix socket", () => {
  it("given a listening socket, when looked at, then only its user may use it", async () => {
    expect((await stat(listener.address as string)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, "run"))).mode & 0o777).toBe(0o700);
  });

  it("given a kind, when created, read, changed, watched and deleted, then every step is seen", async () => {
    const widgets = await client.resource("wi");
    const watched: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const event of client.watch(widgets, { namespace: "api", signal: stop.signal })) {
        if (event.type === "RESET" || event.type === "BOOKMARK") continue;
        watched.push(`${event.type} ${event.object.metadata.name} ${String(event.object.spec["replicas"])}`);
        if (event.type === "DELETED") stop.abort();
      }
    })();
    const made = await client.create(widgets, widgetBody("one"), { namespace: "api" });
    expect(made.spec).toEqual({ role: "polish", replicas: 1 });
    expect((await client.list(widgets, { namespace: "api" })).items).toHaveLength(1);
    const table = await client.listTable(widgets);
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual([
      "Name",
      "Role",
      "Desired",
      "Ready",
      "Age",
      "Color",
    ]);
    expect(table.rows[0]?.cells).toEqual(["one", "polish", 1, null, "0s", null]);
    const patched = await client.patch(widgets, { namespace: "api", name: "one" }, { spec: { replicas: 4 } });
    expect(patched.metadata.generation).toBe(2);
    await client.replace(widgets, { ...patched, spec: { ...patched.spec, replicas: 5 } });
    expect(await client.delete(widgets, { namespace: "api", name: "one" })).toMatchObject({ status: "Success" });
    await watching;
    expect(watched).toEqual(["ADDED one 1", "MODIFIED one 4", "MODIFIED one 5", "DELETED one 5"]);
    await expect(client.get(widgets, { namespace: "api", name: "one" })).rejects.toMatchObject({
      code: 404,
      reason: "NotFound",
      message: 'widgets.town.dev "one" not found',
    });
  });

  it("given a wrong name, when looked up, then near names are suggested", async () => {
    await expect(client.resource("widgts")).rejects.toMatchObject({
      code: 404,
      hint: expect.stringContaining("widgets"),
    });
  });

  it("given verbs, when listed and called, then the result is handed over as it is", async () => {
    expect((await client.verbs()).map(({ name }) => name)).toEqual(["explain", "shout", "wait"]);
    expect(await client.verb("shout", { word: "hey" })).toEqual({ text: "HEY", exitCode: 3 });
    await expect(client.verb("sing")).rejects.toMatchObject({ code: 404 });
  });

  it("given a verb that takes longer than the timeout, when the daemon lives, then it is waited for", async () => {
    const impatient = connect({ server: { socketPath: listener.address as string }, token: "admin", timeoutMs: 200 });
    const result = impatient.verb("wait");
    await new Promise((resolve) => setTimeout(resolve, 600));
    slow();
    expect(await result).toEqual({ text: "done" });
    impatient.close();
  });

  it("given no token, when asked, then 401", async () => {
    await expect(
      connect({ server: { socketPath: listener.address as string }, token: "wrong" }).resources(),
    ).rejects.toMatchObject({ code: 401, reason: "Unauthorized" });
  });

  it("given a server that restarts, when the kept connection is stale, then a read goes through", async () => {
    await client.resources();
    await listener.close();
    listener = await listenOnSocket(town.api, listener.address as string);
    expect(await client.json("/version")).toMatchObject({ major: "1" });
  });

  it("given a second server, when it listens on the same socket, then it is refused", async () => {
    await expect(listenOnSocket(town.api, listener.address as string)).rejects.toMatchObject({
      reason: "AlreadyRunning",
    });
  });

  it("given a watch that reconnects, when the server restarts, then no change is lost", async () => {
    const widgets = await client.resource("widgets");
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const event of client.watch(widgets, { namespace: "api", reconnect: true, signal: stop.signal })) {
        if (event.type === "RESET") seen.push(`RESET ${event.items.length}`);
        else if (event.type !== "BOOKMARK") seen.push(`${event.type} ${event.object.metadata.name}`);
        if (seen.length === 3) stop.abort();
      }
    })();
    while (town.api.watches() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await client.create(widgets, widgetBody("one"), { namespace: "api" });
    const path = listener.address as string;
    await listener.close();
    await town.store.declare(
      { kind: "Widget", namespace: "api", name: "two" },
      { spec: { role: "x", replicas: 1 }, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
    );
    listener = await listenOnSocket(town.api, path);
    await watching;
    expect(seen).toEqual(["RESET 0", "ADDED one", "ADDED two"]);
  });
});

describe("client without a server", () => {
  let silent: Server;

  afterEach(() => silent?.close());

  it("given no socket, when asked, then the error says what to run", async () => {
    await expect(
      connect({ server: { socketPath: join(directory, "none.sock") }, token: "x" }).resources(),
    ).rejects.toMatchObject({ reason: "ServerUnreachable", hint: "Start it with `town up`." });
  });

  it("given a daemon that accepts and says nothing, when asked or when a verb is called, then both fail in time", async () => {
    const path = join(directory, "silent.sock");
    silent = createServer(() => undefined).listen(path);
    const impatient = connect({ server: { socketPath: path }, token: "x", timeoutMs: 200 });
    const from = Date.now();
    await expect(impatient.resources()).rejects.toMatchObject({ reason: "ServerSilent" });
    await expect(impatient.verb("shout")).rejects.toMatchObject({ reason: "ServerSilent" });
    expect(Date.now() - from).toBeLessThan(1_500);
    impatient.close();
  });
});
