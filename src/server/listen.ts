import { Buffer } from "node:buffer";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { chmod, lstat, mkdir, unlink } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { AdapterError, messageOf, TerminalError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import type { Random } from "../ports/random.ts";
import type { Api } from "./api.ts";

/** A listening server. */
export interface Listener {
  /** Path of the socket, or the TCP port. */
  readonly address: string | number;
  /** Refuses new connections, lets running answers end for up to 1 s, and resolves when all are closed. End the API first. */
  close(): Promise<void>;
}

const PORT_ATTEMPTS = 20;
const CLOSE_GRACE_MS = 1_000;
/** A listening TLS server. */
export interface TlsListener extends Listener {
  /** New connections get this certificate. */
  renew(identity: TlsIdentity): void;
}

/** Longest path that fits a socket address on every supported system, in bytes. */
const MAX_SOCKET_PATH = 100;

/**
 * Listens on a unix socket (0600 in a 0700 directory). A socket that nobody listens on is replaced; one that answers is
 * left alone. Throws TerminalError `SocketPathTooLong`,
 * `SocketDirectoryNotOurs`, `AlreadyRunning`, AdapterError `CannotListen`.
 */
export async function listenOnSocket(api: Pick<Api, "app">, path: string): Promise<Listener> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new TerminalError(
      "SocketPathTooLong",
      `Cannot listen on ${path}: a socket path may have at most ${MAX_SOCKET_PATH} bytes.`,
      { hint: "Set XDG_RUNTIME_DIR to a shorter directory." },
    );
  }
  await ownDirectory(dirname(path));
  if (await answers(path))
    throw new TerminalError("AlreadyRunning", `Cannot listen on ${path}: another process answers there.`, {
      hint: "Run `town down` first.",
    });
  await unlink(path).catch(() => undefined);
  const server = createServer(handlerOf(api));
  await listening(server, () => server.listen(path), path);
  await chmod(path, 0o600);
  return listenerOf(server, path);
}

/**
 * Makes the directory of a socket, or takes one that is there: it must be this user's own and no link, since whoever owns
 * it could put another socket there.
 */
async function ownDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await lstat(path);
  const shared = (found.mode & 0o1000) !== 0;
  if (found.uid !== userInfo().uid || shared || !found.isDirectory()) {
    throw new TerminalError(
      "SocketDirectoryNotOurs",
      `Cannot put a socket into ${path}: it is not a directory of this user alone.`,
      {
        hint: "Remove it, or set XDG_RUNTIME_DIR to a directory of your own.",
      },
    );
  }
  await chmod(path, 0o700);
}

/** Certificate and key in PEM form. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly privateKey: string;
}

/** Listens on loopback TCP with TLS. Port 0 takes a free one. Throws AdapterError `CannotListen`. */
export async function listenTls(
  api: Pick<Api, "app">,
  options: { readonly port: number; readonly identity: TlsIdentity; readonly host?: string },
): Promise<TlsListener> {
  const { identity, port, host = "127.0.0.1" } = options;
  const tls = createTlsServer(contextOf(identity), handlerOf(api));
  const server = tls as unknown as Server;
  await listening(server, () => server.listen(port, host), `${host}:${port}`);
  return {
    ...listenerOf(server, (server.address() as AddressInfo).port),
    renew: (next) => tls.setSecureContext(contextOf(next)),
  };
}

function contextOf({ certificate, privateKey }: TlsIdentity) {
  return { cert: certificate, key: privateKey, minVersion: "TLSv1.2" } as const;
}

/**
 * Listens with TLS on the port that the file at `portFile` names, so that a town keeps its port: kubectl caches what it
 * learned per host and port. The first start picks a free one from 20000 to 29999 and notes it. Throws AdapterError
 * `PortTaken` when another program has the noted one.
 */
export async function listenTlsOnStablePort(
  api: Pick<Api, "app">,
  options: {
    readonly files: Files;
    readonly portFile: string;
    readonly random: Random;
    readonly identity: TlsIdentity;
  },
): Promise<TlsListener> {
  const { files, portFile, random, identity } = options;
  const noted = Number((await files.readText(portFile))?.trim());
  if (Number.isInteger(noted) && noted > 0 && noted < 65_536) {
    return listenTls(api, { port: noted, identity }).catch((error: unknown) => {
      throw new AdapterError("PortTaken", `Cannot listen on port ${noted} of this town: ${messageOf(error)}`, {
        cause: error,
        hint: `End the program that has it, or remove ${portFile} for another port and run \`town kubeconfig\` again.`,
      });
    });
  }
  for (let attempt = 1; ; attempt += 1) {
    const port = 20_000 + Math.floor(random.float() * 10_000);
    try {
      const listener = await listenTls(api, { port, identity });
      await files.writeAtomic(portFile, `${port}\n`, { mode: 0o600 });
      return listener;
    } catch (error) {
      if (attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** Listens on loopback TCP without TLS: only when a person asks for it, since kubectl sends no credentials over http. */
export async function listenPlain(
  api: Pick<Api, "app">,
  options: { readonly port: number; readonly host?: string },
): Promise<Listener> {
  const { port, host = "127.0.0.1" } = options;
  const server = createServer(handlerOf(api));
  await listening(server, () => server.listen(port, host), `${host}:${port}`);
  return listenerOf(server, (server.address() as AddressInfo).port);
}

function handlerOf(api: Pick<Api, "app">): RequestListener {
  const handle = getRequestListener(api.app.fetch);
  return (request, response) => void handle(request, response);
}

function listening(server: Server, listen: () => void, where: string): Promise<void> {
  server.keepAliveTimeout = 75_000;
  server.requestTimeout = 60_000;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new AdapterError("CannotListen", `Cannot listen on ${where}: ${error.message}.`, {
          cause: error,
          code: error.code,
        }),
      ),
    );
    server.once("listening", () => resolve());
    listen();
  });
}

function listenerOf(server: Server, address: string | number): Listener {
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        AbortSignal.timeout(CLOSE_GRACE_MS).addEventListener("abort", () => server.closeAllConnections());
      }),
  };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.setTimeout(1000, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
