import { Buffer } from "node:buffer";
import { messageOf } from "../errors/town-error.ts";
import { isRecord } from "../resource/equality.ts";
import type { ApiRequest } from "./api-request.ts";
import { duplicateFields } from "./duplicate-fields.ts";
import { badRequest, tooLargeBody, unsupportedMediaType } from "./status.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Largest request body; that of a real API server. */
export const BODY_LIMIT_BYTES = 3 * 1024 * 1024;
/** Deeper nesting is refused: nothing of ours is deep, and recursive code must not meet what a client nested 10^5 times. */
const MAX_DEPTH = 100;

/** How typed clients (kubectl from 1.32 on) send some bodies, whatever the server prefers. */
export const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

export const PATCH_TYPES = ["application/json-patch+json", "application/merge-patch+json"] as const;

/** Media type of the body without parameters, lower case; "" when the header is missing. */
export function contentType(request: ApiRequest): string {
  return (request.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** A JSON object body with the fields it states more than once. */
export interface SentObject {
  readonly object: JsonObject;
  readonly duplicates: readonly string[];
}

/** A JSON object body. A missing Content-Type counts as JSON, since `kubectl scale` sends none. */
export async function readObject(request: ApiRequest): Promise<SentObject> {
  const type = contentType(request);
  if (type !== "" && type !== "application/json") throw unsupportedMediaType(["application/json"]);
  const bytes = await request.body();
  const object = parseJson(bytes);
  if (!isRecord(object)) throw badRequest("the request body must be a JSON object");
  return { object, duplicates: duplicateFields(new TextDecoder().decode(bytes)) };
}

/** The same where a body may be missing. */
export async function readOptionalObject(request: ApiRequest): Promise<JsonObject> {
  const bytes = await request.body();
  if (bytes.byteLength === 0) return {};
  const value = parseJson(bytes);
  if (!isRecord(value)) throw badRequest("the request body must be a JSON object");
  return value;
}

export function parseJson(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${messageOf(error)}`);
  }
  if (isTooDeep(value)) throw badRequest(`the object provided is nested deeper than ${MAX_DEPTH} levels`);
  return value;
}

export function isTooDeep(value: unknown): boolean {
  return deeperThan(value, MAX_DEPTH);
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => deeperThan(inner, levels - 1));
}

/**
 * The bytes of a body; throws 413 as soon as it is larger than the limit. One that announces a length within the limit
 * is taken whole, which spares the framework a stream.
 */
export async function collectBody(request: Request): Promise<Uint8Array> {
  const announced = request.headers.get("content-length");
  if (announced !== null && /^\d+$/.test(announced)) {
    if (Number(announced) > BODY_LIMIT_BYTES) throw tooLargeBody(BODY_LIMIT_BYTES);
    return new Uint8Array(await request.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (request.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > BODY_LIMIT_BYTES) throw tooLargeBody(BODY_LIMIT_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
