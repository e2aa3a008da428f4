import { bodyOf } from "../connection/api-status.ts";
import { isSet, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { explainText, findSchema, type Schema } from "../output/explain.ts";
import { discoverTypes, typesNamed } from "../resources/discovery.ts";

interface OpenApiIndex {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
}

interface OpenApiDocument {
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

/** `explain TYPE[.FIELD…]`: what the server's schema says. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const [path, ...more] = input.args;
  if (path === undefined || more.length > 0)
    throw usageError(
      "you must say one type, or one field",
      "as `town explain pool` or `town explain pool.spec.replicas`",
    );
  const api = context.api();
  const [word = "", ...fields] = path.split(".");
  const [type] = typesNamed(word, await discoverTypes(api, [word]));
  if (type === undefined) throw usageError(`"${word}" is no type`);
  const groupVersion = type.group === "" ? `api/${type.version}` : `apis/${type.group}/${type.version}`;
  const index = bodyOf<OpenApiIndex>(await api.send({ method: "GET", path: "/openapi/v3" }));
  const url = index.paths[groupVersion]?.serverRelativeURL;
  const document = url === undefined ? {} : bodyOf<OpenApiDocument>(await api.send({ method: "GET", path: url }));
  const schemas = document.components?.schemas ?? {};
  const schema = findSchema(schemas, type);
  if (schema === undefined) throw usageError(`the server has no schema for ${type.plural}`);
  context.streams.out(explainText({ type, schema, schemas, fields, recursive: isSet(input, "recursive") }));
  return EXIT.done;
}
