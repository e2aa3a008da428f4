import { notAcceptable } from "./status.ts";

/** How an answer is to be shaped, from the Accept header. */
export type Shape = "Object" | "Table" | "PartialObjectMetadata";

interface Alternative {
  readonly type: string;
  readonly params: ReadonlyMap<string, string>;
}

/**
 * First alternative that can be served, as kubectl expects; protobuf is never, but its clients list JSON, too. No header
 * means JSON. Throws 406.
 */
export function shapeOf(accept: string | undefined): Shape {
  const alternatives = parseAccept(accept);
  if (alternatives.length === 0) return "Object";
  for (const { type, params } of alternatives) {
    if (type !== "application/json" && type !== "*/*" && type !== "application/*") continue;
    const as = params.get("as");
    if (as === undefined) return "Object";
    const metaV1 = params.get("g") === "meta.k8s.io" && params.get("v") === "v1";
    if (metaV1 && as === "Table") return "Table";
    if (metaV1 && (as === "PartialObjectMetadata" || as === "PartialObjectMetadataList"))
      return "PartialObjectMetadata";
  }
  throw notAcceptable(["application/json"]);
}

/** Versions of aggregated discovery that the client asks for, best first; none: the plain lists. */
export function discoveryVersions(accept: string | undefined): readonly string[] {
  return parseAccept(accept).flatMap(({ params }) =>
    params.get("as") === "APIGroupDiscoveryList" && params.get("g") === "apidiscovery.k8s.io"
      ? [params.get("v") ?? ""]
      : [],
  );
}

export function acceptsGzip(header: string | undefined): boolean {
  return /(?:^|[\s,])gzip(?:$|[\s,])/.test(header ?? "");
}

function parseAccept(accept: string | undefined): readonly Alternative[] {
  return (accept ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const [type, ...params] = part.split(";").map((piece) => piece.trim());
      return { type: (type ?? "").toLowerCase(), params: new Map(params.map((param) => pair(param))) };
    });
}

function pair(param: string): [string, string] {
  const at = param.indexOf("=");
  return at === -1 ? [param, ""] : [param.slice(0, at), param.slice(at + 1)];
}
