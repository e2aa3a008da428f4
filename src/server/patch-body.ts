import jsonPatch from "fast-json-patch";
import { ApiStatusError } from "../errors/town-error.ts";
import { isRecord } from "../resource/equality.ts";
import { mergePatch } from "../resource/merge-patch.ts";
import type { ApiRequest } from "./api-request.ts";
import { BODY_LIMIT_BYTES, contentType, isTooDeep, type JsonObject, PATCH_TYPES, parseJson } from "./request-body.ts";
import { duplicateFields } from "./duplicate-fields.ts";
import { badRequest, unsupportedMediaType } from "./status.ts";

/** A patch as sent. */
export interface Patch {
  /** From the present object to the wanted one. */
  readonly apply: (target: JsonObject) => JsonObject;
  /** Fields that a merge patch states more than once. */
  readonly duplicates: readonly string[];
}

const MAX_OPERATIONS = 10_000;

/** Reads a merge patch or JSON patch. Throws 415 for strategic and apply patches, 400 for a body that is no patch. */
export async function readPatch(request: ApiRequest): Promise<Patch> {
  const type = contentType(request);
  if (type === "application/apply-patch+yaml" || type === "application/apply-patch+cbor") {
    throw new ApiStatusError(
      415,
      "UnsupportedMediaType",
      "server-side apply is not served here: use kubectl apply without --server-side",
    );
  }
  if (type === "application/merge-patch+json") {
    const bytes = await request.body();
    const patch = parseJson(bytes);
    if (!isRecord(patch)) throw badRequest("error decoding patch: a merge patch must be a JSON object");
    const duplicates = duplicateFields(new TextDecoder().decode(bytes));
    return { apply: (target) => mergePatch(target, patch) as JsonObject, duplicates };
  }
  if (type !== "application/json-patch+json") throw unsupportedMediaType(PATCH_TYPES);
  const operations = parseJson(await request.body());
  if (!isPatchDocument(operations))
    throw badRequest("error decoding patch: a JSON patch must be a list of operations with op and path");
  if (operations.length > MAX_OPERATIONS)
    throw new ApiStatusError(
      413,
      "RequestEntityTooLarge",
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`,
    );
  return { apply: (target) => applyOperations(target, operations), duplicates: [] };
}

function isPatchDocument(value: unknown): value is jsonPatch.Operation[] {
  const known = new Set(["add", "remove", "replace", "move", "copy", "test"]);
  return (
    Array.isArray(value) &&
    value.every(
      (item) =>
        isRecord(item) &&
        known.has(String(item["op"])) &&
        typeof item["path"] === "string" &&
        (item["from"] === undefined || typeof item["from"] === "string"),
    )
  );
}

function applyOperations(target: JsonObject, operations: readonly jsonPatch.Operation[]): JsonObject {
  let result: unknown = structuredClone(target);
  let copied = 0;
  try {
    for (const operation of operations) {
      if (operation.op === "move" && `${operation.path}/`.startsWith(`${operation.from}/`)) throw unprocessable();
      if (operation.op === "copy") copied += sizeAt(result, operation.from);
      if (copied > BODY_LIMIT_BYTES) throw unprocessable();
      result = jsonPatch.applyOperation(result, structuredClone(operation), true, true, true).newDocument;
    }
  } catch {
    throw unprocessable();
  }
  if (!isRecord(result) || isTooDeep(result)) throw unprocessable();
  return result;
}

/** A patch that copies the whole into itself doubles it with each operation, hence a limit on what is copied. */
function sizeAt(document: unknown, pointer: string): number {
  return (JSON.stringify(jsonPatch.getValueByPointer(document, pointer)) ?? "").length;
}

function unprocessable(): ApiStatusError {
  return new ApiStatusError(422, "Invalid", "the server rejected our request due to an error in our request", {
    details: {},
  });
}
