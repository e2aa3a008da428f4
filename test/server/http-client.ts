import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

/** Where a test finds a server. */
export type ServerAt =
  | { readonly socketPath: string }
  | { readonly port: number; readonly certificateAuthority?: string };

export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** One request as `admin`; resolves once the head of the answer is there. */
export function open(
  server: ServerAt,
  { method = "GET", path, body, headers, signal }: Sent,
): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options = {
    ...("socketPath" in server ? server : { host: "127.0.0.1", port: server.port }),
    ...("certificateAuthority" in server ? { ca: server.certificateAuthority } : {}),
    method,
    path,
    headers: {
      authorization: "Bearer admin",
      ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
      ...headers,
    },
    ...(signal === undefined ? {} : { signal }),
  };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = ("certificateAuthority" in server ? httpsRequest : httpRequest)(options, resolve);
    sent.on("error", reject);
    sent.end(text);
  });
}

/** The same with the whole answer as JSON. */
export async function ask(server: ServerAt, sent: Sent): Promise<{ readonly code: number; readonly body: unknown }> {
  const response = await open(server, sent);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { code: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

/** Calls back for each line of a watch; resolves once the watch is open. */
export async function watchLines(server: ServerAt, sent: Sent, line: (text: string) => void): Promise<void> {
  const response = await open(server, sent);
  let rest = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) line(text);
  });
  response.on("error", () => undefined);
}
