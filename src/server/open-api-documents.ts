import { createHash } from "node:crypto";
import { type JsonSchema, OBJECT_META_SCHEMA, objectSchema } from "../resource/json-schema.ts";
import { documentPath, type OpenApiDocument, openApiDocument } from "../resource/open-api.ts";
import type { ApiResource, ResourceCatalog } from "./api-resource.ts";
import type { ApiRequest } from "./api-request.ts";
import { OPEN_API_V2_ACCEPTED, OPEN_API_V2_TYPE, openApiV2 } from "./open-api-v2.ts";
import { notAcceptable } from "./status.ts";

interface Document {
  readonly path: string;
  readonly content: OpenApiDocument;
  readonly text: string;
  readonly hash: string;
}

/** OpenAPI v3: an index and one document per group version; and all of them as v2. Made at first use. */
export class OpenApiDocuments {
  readonly #catalog: ResourceCatalog;
  #made: ReadonlyMap<string, Document> | undefined;
  #v2: { readonly bytes: Uint8Array; readonly hash: string } | undefined;

  constructor(catalog: ResourceCatalog) {
    this.#catalog = catalog;
  }

  /** `/openapi/v3`: revalidated by ETag on each use. */
  index(request: ApiRequest): Response {
    const documents = [...this.#documents().values()];
    const paths = Object.fromEntries(
      documents.map(({ path, hash }) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }]),
    );
    const text = JSON.stringify({ paths });
    return answer(request, text, hashOf(text), { "cache-control": "no-cache, private" });
  }

  /** `/openapi/v3/<path>`: named by its hash, hence kept for ever. Undefined for a group version that is not served. */
  document(request: ApiRequest, path: string): Response | undefined {
    const document = this.#documents().get(path);
    if (document === undefined) return undefined;
    const hashed = request.query.get("hash") === document.hash;
    const expires = new Date(Date.UTC(2099, 0, 1)).toUTCString();
    return answer(
      request,
      document.text,
      document.hash,
      hashed ? { "cache-control": "public, immutable", expires } : { "cache-control": "no-cache, private" },
    );
  }

  /** `/openapi/v2`: only as protobuf, since clients that ask for it cannot read JSON. Throws 406. */
  v2(request: ApiRequest): Response {
    const wanted = (request.header("accept") ?? "").split(",").map((part) => part.trim());
    if (!wanted.includes(OPEN_API_V2_ACCEPTED)) throw notAcceptable([OPEN_API_V2_ACCEPTED]);
    if (this.#v2 === undefined) {
      const bytes = openApiV2([...this.#documents().values()].map(({ content }) => content));
      this.#v2 = { bytes, hash: hashOf(bytes) };
    }
    const { bytes, hash } = this.#v2;
    return answer(request, bytes, hash, { "content-type": OPEN_API_V2_TYPE, "cache-control": "no-cache, private" });
  }

  #documents(): ReadonlyMap<string, Document> {
    this.#made ??= new Map(
      groupVersions(this.#catalog)
        .map((resources) => documentOf(resources))
        .map((document) => [document.path, document]),
    );
    return this.#made;
  }
}

function groupVersions(catalog: ResourceCatalog): readonly (readonly ApiResource[])[] {
  const resources = catalog.resources.filter(({ verbs }) => verbs.includes("get"));
  const paths = [...new Set(resources.map(documentPath))];
  return paths.map((path) => resources.filter((resource) => documentPath(resource) === path));
}

function documentOf(resources: readonly ApiResource[]): Document {
  const documented = resources.map((resource) => ({ ...resource, schema: schemaOf(resource) }));
  const content = openApiDocument(documented, OBJECT_META_SCHEMA);
  const text = JSON.stringify(content);
  const [first] = documented;
  return { path: first === undefined ? "" : documentPath(first), content, text, hash: hashOf(text) };
}

function schemaOf({ definition, kind, readOnlyReason }: ApiResource): JsonSchema {
  if (definition !== undefined) return objectSchema(definition);
  return {
    type: "object",
    description: `${kind} as other Kubernetes programs know it; read-only here${readOnlyReason === undefined ? "" : `: ${readOnlyReason}`}.`,
    properties: {
      apiVersion: { type: "string", description: "Version of the API." },
      kind: { type: "string", description: "Kind of the object." },
      metadata: { type: "object" },
      spec: { type: "object", description: "What was asked for.", "x-kubernetes-preserve-unknown-fields": true },
      status: { type: "object", description: "What was observed.", "x-kubernetes-preserve-unknown-fields": true },
    },
    "x-kubernetes-preserve-unknown-fields": true,
  };
}

function answer(
  request: ApiRequest,
  body: string | Uint8Array,
  hash: string,
  headers: Readonly<Record<string, string>>,
): Response {
  const etag = `"${hash}"`;
  const common = { etag, vary: "Accept", ...headers };
  if (request.header("if-none-match") === etag) return new Response(null, { status: 304, headers: common });
  return new Response(body as Uint8Array<ArrayBuffer>, {
    status: 200,
    headers: { "content-type": "application/json", ...common },
  });
}

function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 32).toUpperCase();
}
