import { createHash } from "node:crypto";
import { type JsonSchema, OBJECT_META_SCHEMA, objectSchema } from "../resource/json-schema.ts";
import { documentPath, openApiDocument } from "../resource/open-api.ts";
import type { ApiResource, ResourceCatalog } from "./api-resource.ts";
import type { ApiRequest } from "./api-request.ts";

interface Document {
  readonly path: string;
  readonly text: string;
  readonly hash: string;
}

/** OpenAPI v3: an index and one document per group version, made at first use. */
export class OpenApiDocuments {
  readonly #catalog: ResourceCatalog;
  #made: ReadonlyMap<string, Document> | undefined;

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

  #documents(): ReadonlyMap<string, Document> {
    this.#made ??= new Map(
      groupVersions(this.#catalog)
        .map((resources) => documentOf(resources))
        .map((document) => [document.path, document]),
    );
    return this.#made;
  }
}

function groupVersions({ resources }: ResourceCatalog): readonly (readonly ApiResource[])[] {
  const paths = [...new Set(resources.map(documentPath))];
  return paths.map((path) => resources.filter((resource) => documentPath(resource) === path));
}

function documentOf(resources: readonly ApiResource[]): Document {
  const documented = resources.map((resource) => ({ ...resource, schema: schemaOf(resource) }));
  const text = JSON.stringify(openApiDocument(documented, OBJECT_META_SCHEMA));
  const [first] = documented;
  return { path: first === undefined ? "" : documentPath(first), text, hash: hashOf(text) };
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

function answer(request: ApiRequest, text: string, hash: string, headers: Readonly<Record<string, string>>): Response {
  const etag = `"${hash}"`;
  const common = { etag, vary: "Accept", ...headers };
  if (request.header("if-none-match") === etag) return new Response(null, { status: 304, headers: common });
  return new Response(text, { status: 200, headers: { "content-type": "application/json", ...common } });
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32).toUpperCase();
}
