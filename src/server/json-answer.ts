import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { jsonBytesOf } from "./json-bytes.ts";
import { acceptsGzip } from "./negotiation.ts";

const gzip = promisify(gzipCallback);

/** Smaller bodies are sent as they are; the threshold of a real API server. */
export const GZIP_FROM_BYTES = 128 * 1024;

const HEADERS = { "content-type": "application/json", "cache-control": "no-cache, private" };

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...HEADERS, ...headers } });
}

/** The same, compressed in another thread where the body is large and the client can read it. */
export async function largeJson(status: number, body: unknown, acceptEncoding: string | undefined): Promise<Response> {
  const bytes = jsonBytesOf(body);
  if (bytes.byteLength < GZIP_FROM_BYTES || !acceptsGzip(acceptEncoding))
    return new Response(bytes as Uint8Array<ArrayBuffer>, { status, headers: HEADERS });
  const compressed = await gzip(bytes, { level: 1 });
  return new Response(new Uint8Array(compressed), {
    status,
    headers: { ...HEADERS, "content-encoding": "gzip", vary: "Accept-Encoding" },
  });
}
