import type { Caller } from "../resource/caller.ts";
import type { ApiResource } from "./api-resource.ts";
import { badRequest } from "./status.ts";

/** A request after authentication, without the framework. */
export interface ApiRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly caller: Caller;
  /** Aborts when the client goes away. Made at the first call, since most requests do without. */
  signal(): AbortSignal;
  header(name: string): string | undefined;
  /** Throws 413 beyond the limit. */
  body(): Promise<Uint8Array>;
}

/** What the path says about a resource. */
export interface ResourceTarget {
  readonly resource: ApiResource;
  /** Absent for cluster-scoped resources and lists over all namespaces. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

export interface ResourceRequest extends ApiRequest, ResourceTarget {}

export function booleanParameter(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  if (value === null || value === "false" || value === "0") return false;
  if (value === "" || value === "true" || value === "1") return true;
  throw badRequest(`strconv.ParseBool: parsing "${value}": invalid syntax in query parameter ${name}`);
}

/** A whole number ≥ 0; undefined when absent or empty. */
export function integerParameter(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  if (!/^\d{1,15}$/.test(value))
    throw badRequest(
      `strconv.ParseInt: parsing "${value}": invalid syntax in query parameter ${name}: must be a whole number`,
    );
  return Number(value);
}
