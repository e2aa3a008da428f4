import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { socketApi } from "../../../src/cli/connection/socket-api.ts";
import type { Api } from "../../../src/cli/connection/api.ts";

let directory: string;
let api: Api;
let server: Server | undefined;
const sockets = new Set<Socket>();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "town-socket-"));
  api = socketApi({ socketPath: join(directory, "s"), token: "t", town: "/towns/hq" }, "town/test");
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server?.close();
  rmSync(directory, { recursive: true });
});

/** Answers each connection with `answer`, given what was asked. */
async function serve(answer: (asked: string, socket: Socket) => void): Promise<void> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (data) => answer(data.toString(), socket));
  });
  await new Promise<void>((resolve) => server?.listen(join(directory, "s"), resolve));
}

const OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

describe("socketApi", () => {
  it("given a request, when sent, then headers and body are as HTTP wants them", async () => {
    let asked = "";
    await serve((text, socket) => {
      asked = text;
      socket.end(
        `HTTP/1.1 200 OK\r\nWarning: 299 - "unknown field \\"x\\"", 299 - "two"\r\nContent-Length: 2\r\n\r\nok`,
      );
    });
    const answer = await api.send({
      method: "PATCH",
      path: "/p?q=1",
      body: "é",
      contentType: "application/merge-patch+json",
      accept: "text/plain",
    });
    expect(answer).toMatchObject({ status: 200, text: "ok", warnings: ['unknown field "x"', "two"] });
    expect(asked.split("\r\n")).toEqual([
      "PATCH /p?q=1 HTTP/1.1",
      "Host: localhost",
      "Connection: close",
      "Authorization: Bearer t",
      "User-Agent: town/test",
      "Accept: text/plain",
      "Content-Type: application/merge-patch+json",
      "Content-Length: 2",
      "",
      "é",
    ]);
  });

  it("given no socket, when sent, then it exits 6 with what to run", async () => {
    await expect(api.send({ method: "GET", path: "/" })).rejects.toMatchObject({
      exitCode: 6,
      reason: "ServerGone",
      hint: "start it with `town up -d`",
    });
  });

  it("given a daemon that dies in the middle, when sent, then it says that the change may have happened", async () => {
    await serve((_, socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
    await expect(api.send({ method: "POST", path: "/" })).rejects.toMatchObject({
      exitCode: 6,
      reason: "ServerUnreachable",
    });
  });

  it("given a request that is given up while the daemon is probed, then it is not probed again", async () => {
    const abort = new AbortController();
    let probes = 0;
    await serve((text, socket) => {
      if (!text.startsWith("GET /livez")) return;
      probes += 1;
      abort.abort();
      setTimeout(() => socket.end(OK), 20);
    });
    await expect(api.send({ method: "GET", path: "/slow", signal: abort.signal })).rejects.toThrow("interrupted");
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(probes).toBe(1);
  });

  it("given a live but silent daemon, when sent, then it fails after three probes", async () => {
    let probes = 0;
    await serve((asked) => {
      if (asked.startsWith("GET /livez")) probes += 1;
    });
    await expect(api.send({ method: "GET", path: "/" })).rejects.toMatchObject({ exitCode: 6, reason: "ServerSilent" });
    expect(probes).toBe(3);
  });

  it("given a daemon that does not run for seconds, when it goes on, then its answer is waited for", async () => {
    let probes = 0;
    const answered = new Promise<Socket>((resolve) => {
      void serve((asked, socket) => {
        if (!asked.startsWith("GET /livez")) return resolve(socket);
        probes += 1;
        // Its answers to those before came too late to count.
        if (probes < 3) return;
        socket.end(OK);
        void answered.then((slow) => slow.end(OK));
      });
    });
    await expect(api.send({ method: "POST", path: "/slow" })).resolves.toMatchObject({ text: "ok" });
  });

  it("given a slow answer of a daemon that lives, when sent, then it is waited for", async () => {
    let probes = 0;
    const answered = new Promise<Socket>((resolve) => {
      void serve((asked, socket) => {
        if (!asked.startsWith("GET /livez")) return resolve(socket);
        probes += 1;
        socket.end(OK);
        if (probes === 2) void answered.then((slow) => slow.end(OK));
      });
    });
    await expect(api.send({ method: "POST", path: "/slow" })).resolves.toMatchObject({ text: "ok" });
    expect(probes).toBe(2);
  });

  it("given a time limit, when it is over, then it exits 124", async () => {
    await serve(() => {});
    await expect(api.send({ method: "GET", path: "/x?y", timeoutMs: 50 })).rejects.toMatchObject({
      exitCode: 124,
      message: "GET /x was not answered within 50 ms",
    });
  });

  it("given an abort, before or while it runs, when sent, then it ends with AbortError", async () => {
    await serve(() => {});
    await expect(api.send({ method: "GET", path: "/", signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
    const controller = new AbortController();
    const pending = api.send({ method: "GET", path: "/", signal: controller.signal });
    controller.abort();
    await expect(pending).rejects.toMatchObject({ name: "AbortError" });
  });

  it("given a stream, when read, then text comes as it arrives, with characters cut between chunks", async () => {
    const bytes = Buffer.from("é\n");
    await serve((_, socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (const byte of bytes)
        socket.write(Buffer.concat([Buffer.from("1\r\n"), Buffer.from([byte]), Buffer.from("\r\n")]));
      socket.end("0\r\n\r\n");
    });
    let text = "";
    for await (const part of api.stream({ method: "GET", path: "/" })) text += part;
    expect(text).toBe("é\n");
  });

  it("given a stream that is refused, when read, then the Status is thrown", async () => {
    const body = JSON.stringify({ kind: "Status", reason: "Forbidden", message: "no", code: 403 });
    await serve((_, socket) => socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
    const read = async (): Promise<void> => {
      for await (const _ of api.stream({ method: "GET", path: "/" }));
    };
    await expect(read()).rejects.toMatchObject({ code: 403, reason: "Forbidden", message: "no" });
  });

  it("given a stream that a reader leaves, when left, then the connection is closed", async () => {
    const closed = new Promise<void>((resolve) => {
      void serve((_, socket) => {
        socket.on("close", () => resolve());
        socket.write("HTTP/1.1 200 OK\r\n\r\nline\n");
      });
    });
    for await (const part of api.stream({ method: "GET", path: "/" })) {
      expect(part).toBe("line\n");
      break;
    }
    await closed;
  });
});
