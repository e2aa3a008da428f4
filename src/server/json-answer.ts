import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { acceptsGzip } from "./negotiation.ts";

const gzip = promisify(gzipCallback);

/** Smaller bodies are sent as they are; the threshold of a real API server. */
export const GZIP_FROM_CHARACTERS = 128 * 1024;

const HEADERS = { "content-type": "application/json", "cache-control": "no-cache, private" };

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...HEADERS, ...headers } });
}

/** The same, compressed in another thread where the body is large and the client can read it. */
export async function largeJson(status: number, body: unknown, acceptEncoding: string | undefined): Promise<Response> {
  const text = JSON.stringify(body);
  if (text.length < GZIP_FROM_CHARACTERS || !acceptsGzip(acceptEncoding))
    return new Response(text, { status, headers: HEADERS });
  const bytes = await gzip(text, { level: 1 });
  return new Response(new Uint8Array(bytes), {
    status,
    headers: { ...HEADERS, "content-encoding": "gzip", vary: "Accept-Encoding" },
  });
}
