import { TownError } from "../errors/town-error.ts";
import type { DeleteOptions, ListOptions, RawRequest, WriteOptions } from "./client-types.ts";
import type { DiscoveredResource } from "./discovered-resource.ts";
import { statusError } from "./watch.ts";

export const VERBS_PATH = "/apis/work.town.dev/v1alpha1/verbs";

/** REST path of a resource, an object of it, or a subresource of that. */
export function pathOf(
  { group, version, plural, namespaced }: Pick<DiscoveredResource, "group" | "version" | "plural" | "namespaced">,
  namespace?: string,
  name?: string,
  subresource?: string,
): string {
  const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const parts = namespaced && namespace !== undefined ? ["namespaces", namespace, plural] : [plural];
  return [
    base,
    ...[...parts, ...[name, subresource].filter((part) => part !== undefined)].map(encodeURIComponent),
  ].join("/");
}

export function listRequest(options: ListOptions): RawRequest {
  const { labelSelector, fieldSelector, limit } = options;
  return { query: { labelSelector, fieldSelector, limit, continue: options.continue }, ...signalOf(options) };
}

export function writeRequest({ dryRun, fieldValidation, fieldManager, signal }: WriteOptions): RawRequest {
  return {
    query: { dryRun: dryRun === true ? "All" : undefined, fieldValidation: fieldValidation ?? "Strict", fieldManager },
    ...(signal === undefined ? {} : { signal }),
  };
}

export function deleteBody({ dryRun, propagationPolicy, uid, resourceVersion }: DeleteOptions): unknown {
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: propagationPolicy ?? "Background",
    ...(dryRun === true ? { dryRun: ["All"] } : {}),
    ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
  };
}

export function signalOf({ signal }: { readonly signal?: AbortSignal }): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

export function queryText(query: RawRequest["query"]): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined || value === "" || value === false ? [] : [[name, String(value)]],
  );
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs as [string, string][]).toString()}`;
}

export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TownError("NotJson", `The answer to ${path} is no JSON: ${text.slice(0, 100)}`, { cause: error });
  }
}

export function failureOf(code: number, text: string): Error {
  try {
    const body: unknown = JSON.parse(text);
    if ((body as { readonly kind?: unknown }).kind === "Status") return statusError(body);
  } catch {
    // Plain text, told as it is.
  }
  return statusError({
    code,
    reason: code === 404 ? "NotFound" : "Unknown",
    message: text.trim() === "" ? `the server answered ${code}` : text.trim(),
  });
}
