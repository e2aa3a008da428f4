import { X509Certificate } from "node:crypto";
import { setMaxListeners } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { get as httpsGet } from "node:https";
import { connect as netConnect } from "node:net";
import type { TLSSocket } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { silentLog } from "../../src/ports/log.ts";
import { ensureCertificates, keepCertificatesFresh } from "../../src/server/certificates.ts";
import {
  kubeconfigOf,
  kubeconfigText,
  mergedKubeconfig,
  mergeKubeconfigFile,
  writeKubeconfig,
} from "../../src/server/kubeconfig.ts";
import {
  type Listener,
  listenOnSocket,
  listenPlain,
  listenTls,
  listenTlsOnStablePort,
} from "../../src/server/listen.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { ask, open, watchLines } from "./http-client.ts";
import { widgetBody, WIDGETS, type WidgetTown, widgetTown } from "./widget-town.ts";

const DAY = 86_400_000;
const files = createNodeFiles();
let directory: string;
let town: WidgetTown;
const listeners: Listener[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "town-listen-"));
  town = await widgetTown();
});

afterEach(async () => {
  town.api.close();
  await Promise.all(listeners.splice(0).map((listener) => listener.close()));
  await rm(directory, { recursive: true, force: true });
});

async function kept<T extends Listener>(listening: Promise<T>): Promise<T> {
  const listener = await listening;
  listeners.push(listener);
  return listener;
}

const certificates = (clock: { now(): number; monotonicMs(): number; sleep(): Promise<void> } = systemClock as never) =>
  ensureCertificates({ files, directory: join(directory, "tls"), clock, random: nodeRandom });

/** A clock that stands `days` from now. */
const clockAt = (days: number) =>
  new VirtualClock({ turn: async () => undefined, startMs: Date.now() + days * DAY }) as never;

describe("certificates", () => {
  it("given an empty directory, when ensured twice, then one authority and one server certificate for loopback, keys private", async () => {
    const first = await certificates();
    const second = await certificates();
    expect([first.authorityChanged, second.authorityChanged]).toEqual([true, false]);
    expect(second.certificate).toBe(first.certificate);
    const server = new X509Certificate(first.certificate);
    expect(server.verify(new X509Certificate(first.certificateAuthority).publicKey)).toBe(true);
    expect(server.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    expect(new X509Certificate(first.certificateAuthority).ca).toBe(true);
    for (const name of ["ca.key", "server.key"])
      expect((await stat(join(directory, "tls", name))).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, "tls"))).mode & 0o777).toBe(0o700);
  });

  it("given a server certificate near its end, when ensured, then it is renewed and the authority stays", async () => {
    const first = await certificates();
    const early = await certificates(clockAt(300));
    expect(early.certificate).toBe(first.certificate);
    const later = await certificates(clockAt(340));
    expect(later.certificate).not.toBe(first.certificate);
    expect([later.certificateAuthority, later.authorityChanged]).toEqual([first.certificateAuthority, false]);
    const much = await certificates(clockAt(3_640));
    expect(much.authorityChanged).toBe(true);
    expect(new X509Certificate(much.certificate).verify(new X509Certificate(much.certificateAuthority).publicKey)).toBe(
      true,
    );
  });

  it.each([
    "server.key",
    "server.crt",
    "ca.crt",
    "ca.key",
  ])("given a damaged %s, when ensured, then a fitting pair is made", async (name) => {
    await certificates();
    await writeFile(join(directory, "tls", name), "damaged");
    const next = await certificates();
    expect(new X509Certificate(next.certificate).verify(new X509Certificate(next.certificateAuthority).publicKey)).toBe(
      true,
    );
    const listener = await kept(listenTls(town.api, { port: 0, identity: next }));
    const server = { port: listener.address as number, certificateAuthority: next.certificateAuthority };
    expect((await ask(server, { path: "/version" })).body).toMatchObject({ major: "1" });
  });
});

describe("TLS", () => {
  it("given another authority, when a client connects, then it refuses", async () => {
    const identity = await certificates();
    const listener = await kept(listenTls(town.api, { port: 0, identity }));
    const refused = new Promise((resolve) =>
      httpsGet({ host: "127.0.0.1", port: listener.address, path: "/version" }, () => resolve("answered")).on(
        "error",
        (error: NodeJS.ErrnoException) => resolve(error.code),
      ),
    );
    expect(["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "SELF_SIGNED_CERT_IN_CHAIN"]).toContain(await refused);
  });

  it("given a server that runs for long, when its certificate nears its end, then new connections see a new one", async () => {
    const clock = new VirtualClock({ turn: () => new Promise((done) => setImmediate(done)), startMs: Date.now() });
    const ensured = { files, directory: join(directory, "tls"), clock, random: nodeRandom };
    const identity = await ensureCertificates(ensured);
    const listener = await listenTls(town.api, { port: 0, identity });
    listeners.push(listener);
    const shown = () =>
      new Promise<string>((resolve, reject) => {
        httpsGet(
          {
            host: "127.0.0.1",
            port: listener.address,
            path: "/version",
            rejectUnauthorized: false,
            agent: false,
          },
          (response) => {
            resolve((response.socket as TLSSocket).getPeerX509Certificate()?.serialNumber ?? "");
            response.destroy();
          },
        ).on("error", reject);
      });
    const stop = new AbortController();
    const renewed: string[] = [];
    const keeping = keepCertificatesFresh(
      { ...ensured, log: silentLog, signal: stop.signal },
      { renew: (next) => (renewed.push(next.certificate), listener.renew(next)) },
    );
    const first = await shown();
    while (clock.sleeping === 0) await systemClock.sleep(5);
    clock.jumpWall(340 * DAY);
    await clock.advance(13 * 3_600_000);
    while (renewed.length < 2) await systemClock.sleep(20);
    expect(await shown()).not.toBe(first);
    stop.abort();
    await keeping;
  });

  it("given a town, when started again and again, then its port stays; when another has it, then the error says what to do", async () => {
    const identity = await certificates();
    const portFile = join(directory, "port");
    const start = () => listenTlsOnStablePort(town.api, { files, portFile, random: nodeRandom, identity });
    const first = await start();
    const port = first.address;
    await first.close();
    const second = await kept(start());
    expect(second.address).toBe(port);
    expect(await readFile(portFile, "utf8")).toBe(`${String(port)}\n`);
    await expect(start()).rejects.toMatchObject({ reason: "PortTaken", hint: expect.stringContaining(portFile) });
  });

  it("given plain http, when asked for by name, then it serves, too", async () => {
    const listener = await kept(listenPlain(town.api, { port: 0 }));
    expect((await ask({ port: listener.address as number }, { path: WIDGETS })).body).toMatchObject({
      kind: "WidgetList",
    });
  });
});

describe("sockets", () => {
  it("given a directory of others, a link or a shared one, when a socket should go there, then it is refused", async () => {
    const real = join(directory, "real");
    await mkdir(real);
    await symlink(real, join(directory, "link"));
    await mkdir(join(directory, "shared"), { mode: 0o777 });
    const { chmod } = await import("node:fs/promises");
    await chmod(join(directory, "shared"), 0o1777);
    await expect(listenOnSocket(town.api, join(directory, "link", "a.sock"))).rejects.toMatchObject({
      reason: "SocketDirectoryNotOurs",
    });
    await expect(listenOnSocket(town.api, join(directory, "shared", "a.sock"))).rejects.toMatchObject({
      reason: "SocketDirectoryNotOurs",
    });
    expect((await stat(join(directory, "shared"))).mode & 0o1777).toBe(0o1777);
    expect(await readdir(real)).toEqual([]);
  });

  it("given a path that is too long, when listened on, then the error says so before the system cuts it", async () => {
    await expect(listenOnSocket(town.api, join(directory, "x".repeat(90), "a.sock"))).rejects.toMatchObject({
      reason: "SocketPathTooLong",
    });
  });

  it("given a socket that a killed server left, when listened on, then it is replaced", async () => {
    const path = join(directory, "run", "a.sock");
    await mkdir(join(directory, "run"));
    await writeFile(path, "");
    await kept(listenOnSocket(town.api, path));
    expect((await stat(path)).isSocket()).toBe(true);
  });

  it("given a watch without changes, when opened, then its head comes at once", async () => {
    const listener = await kept(listenOnSocket(town.api, join(directory, "run", "a.sock")));
    const head = await new Promise<string>((resolve, reject) => {
      const socket = netConnect(listener.address as string, () =>
        socket.write(
          `GET /apis/work.town.dev/v1alpha1/chores?watch=true HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\r\n`,
        ),
      );
      socket.on("data", (chunk) => {
        resolve(chunk.toString());
        socket.destroy();
      });
      socket.on("error", reject);
    });
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head.toLowerCase()).toContain("transfer-encoding: chunked");
    while (town.api.watches() > 0) await systemClock.sleep(5);
  });

  it("given a caller that leaves, when its verb runs, then the verb is told", async () => {
    let ended: (() => void) | undefined;
    const told = new Promise<void>((resolve) => {
      ended = resolve;
    });
    let started: (() => void) | undefined;
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const slow = await widgetTown({
      verbs: [
        {
          name: "wait",
          summary: "Waits.",
          needs: "view",
          run: async ({ signal }) => {
            started?.();
            await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
            ended?.();
            return { text: "" };
          },
        },
      ],
    });
    const listener = await kept(listenOnSocket(slow.api, join(directory, "run", "v.sock")));
    const stop = new AbortController();
    const path = "/apis/work.town.dev/v1alpha1/verbs/wait";
    const called = open(
      { socketPath: listener.address as string },
      { method: "POST", path, body: {}, signal: stop.signal },
    );
    await running;
    stop.abort();
    await expect(called).rejects.toMatchObject({ name: "AbortError" });
    await told;
    slow.api.close();
  });

  it("given 500 watchers, when objects change and half of them leave, then each of the others gets all in order", async () => {
    const listener = await kept(listenOnSocket(town.api, join(directory, "run", "m.sock")));
    const server = { socketPath: listener.address as string };
    const leaving = new AbortController();
    setMaxListeners(0, leaving.signal);
    const seen: string[][] = Array.from({ length: 500 }, () => []);
    const change = (name: string) =>
      ask(server, { method: "POST", path: WIDGETS, body: widgetBody(name) }).then(({ code }) => expect(code).toBe(201));
    const path = `${WIDGETS}?watch=true&resourceVersion=${town.store.currentVersion()}`;
    for (const [index, names] of seen.entries()) {
      const isLeaving = index % 2 === 1;
      await watchLines(server, { path, ...(isLeaving ? { signal: leaving.signal } : {}) }, (text) =>
        names.push((JSON.parse(text) as { object: { metadata: { name: string } } }).object.metadata.name),
      );
    }
    expect(town.api.watches()).toBe(500);
    for (let index = 0; index < 10; index += 1) await change(`a${index}`);
    leaving.abort();
    await vi.waitFor(() => expect(town.api.watches()).toBe(250), { timeout: 60_000 });
    for (let index = 0; index < 10; index += 1) await change(`b${index}`);
    const all = ["a", "b"].flatMap((letter) => Array.from({ length: 10 }, (_, index) => `${letter}${index}`));
    await vi.waitFor(
      () => expect(seen.filter((_, index) => index % 2 === 0).every((names) => names.length === 20)).toBe(true),
      { timeout: 60_000 },
    );
    for (const names of seen.filter((_, index) => index % 2 === 0)) expect(names).toEqual(all);
  });

  it("given a client that stops reading a watch, when much changes, then the server keeps its memory and drops it", async () => {
    const listener = await kept(listenOnSocket(town.api, join(directory, "run", "a.sock")));
    const socket = netConnect(listener.address as string, () =>
      socket.write(`GET ${WIDGETS}?watch=true HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\r\n`),
    );
    await new Promise((resolve) => socket.once("data", resolve));
    socket.pause();
    const big = "x".repeat(500_000);
    for (let index = 0; index < 60; index += 1) {
      await town.store.declare(
        { kind: "Widget", namespace: "api", name: "a" },
        { spec: { role: `${index}${big}`, replicas: 1 }, origin: { source: "hq", path: "a", line: 1, revision: "r" } },
      );
      await systemClock.sleep(1);
    }
    let text = "";
    socket.on("data", (chunk) => {
      text = (text + chunk.toString()).slice(-1_000);
    });
    socket.resume();
    while (town.api.watches() > 0) await systemClock.sleep(5);
    while (!text.includes('"ERROR"')) await systemClock.sleep(5);
    socket.destroy();
  });
});

describe("kubeconfigs", () => {
  const entry = { name: "town", server: "https://127.0.0.1:1", certificateAuthority: "PEM", token: "secret" };

  it("given a town, when printed, then the text is the data", () => {
    expect(parse(kubeconfigText(entry))).toEqual(kubeconfigOf(entry));
    expect(kubeconfigOf(entry)).toMatchObject({
      "current-context": "town",
      contexts: [{ context: { namespace: "hq" } }],
      users: [{ user: { token: "secret" } }],
    });
  });

  it("given a person's own file, when merged, then theirs stays, ours is renewed, and the choice of context is kept", async () => {
    const path = join(directory, "kube", "config");
    await mkdir(join(directory, "kube"));
    const theirs = {
      apiVersion: "v1",
      kind: "Config",
      preferences: { colors: true },
      "current-context": "work",
      clusters: [{ name: "work", cluster: { server: "https://work" } }],
      users: [{ name: "work", user: {} }],
      contexts: [{ name: "work", context: { cluster: "work", user: "work" } }],
    };
    await writeFile(path, stringify(theirs));
    const yaml = { parse: (text: string) => parse(text) as unknown, stringify: (value: unknown) => stringify(value) };
    await mergeKubeconfigFile(files, path, entry, yaml);
    await mergeKubeconfigFile(files, path, { ...entry, token: "newer" }, yaml);
    const merged = parse(await readFile(path, "utf8"));
    expect(merged).toMatchObject({
      ...theirs,
      clusters: [theirs.clusters[0], { name: "town" }],
      users: [theirs.users[0], { name: "town", user: { token: "newer" } }],
      contexts: [theirs.contexts[0], { name: "town" }],
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(mergedKubeconfig("not a config", entry)).toEqual(kubeconfigOf(entry));
  });

  it("given a file of its own, when written, then only its user reads it", async () => {
    await writeKubeconfig(files, join(directory, "config"), entry);
    expect((await stat(join(directory, "config"))).mode & 0o777).toBe(0o600);
  });
});
