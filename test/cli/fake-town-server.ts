import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FakeTown } from "./fake-town.ts";

export interface FakeDaemon {
  /** Directory of a git repository whose state directory names this server. */
  readonly directory: string;
  readonly stateDirectory: string;
  readonly socketPath: string;
  close(): Promise<void>;
}

export const TOKEN = "secret-of-the-test";

/** Serves a fake town on a unix socket, as the daemon does: endpoint.json, overseer's token, bearer check. */
export async function startFakeDaemon(town: FakeTown): Promise<FakeDaemon> {
  const directory = mkdtempSync(join(tmpdir(), "town-cli-"));
  const stateDirectory = join(directory, ".git", "town");
  const socketPath = join(directory, "api.sock");
  mkdirSync(join(stateDirectory, "tokens"), { recursive: true });
  mkdirSync(join(directory, "manifests"));
  writeFileSync(join(stateDirectory, "tokens", "overseer"), `${TOKEN}\n`, { mode: 0o600 });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.headers.authorization !== `Bearer ${TOKEN}`) {
        response.writeHead(401, { "content-type": "application/json" });
        response.end(
          JSON.stringify({
            kind: "Status",
            status: "Failure",
            reason: "Unauthorized",
            message: "Unauthorized",
            code: 401,
          }),
        );
        return;
      }
      const { accept } = request.headers;
      const body = Buffer.concat(chunks).toString();
      const answer = town.answer({
        method: (request.method ?? "GET") as "GET",
        path: request.url ?? "/",
        ...(accept === undefined ? {} : { accept }),
        ...(body === "" ? {} : { body }),
      });
      response.writeHead(answer.status ?? 200, { "content-type": "application/json" });
      if (answer.lines === undefined) response.end(answer.text ?? JSON.stringify(answer.body));
      else {
        for (const line of answer.lines) response.write(`${JSON.stringify(line)}\n`);
        if (answer.staysOpen !== true) response.end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  writeFileSync(
    join(stateDirectory, "endpoint.json"),
    JSON.stringify({ version: 1, socket: socketPath, pid: process.pid, startTime: "0" }),
  );
  return {
    directory,
    stateDirectory,
    socketPath,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
