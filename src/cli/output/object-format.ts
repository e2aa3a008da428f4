import { usageError } from "../exit-codes.ts";
import type { ApiObject } from "../resources/objects.ts";
import { jsonPathText, jsonPathValues, valueText } from "./json-path.ts";
import { tableLines } from "./table.ts";
import { yamlText } from "./yaml.ts";

/** How a listing is printed: as a table, or as objects through a function. */
type OutputFormat =
  | { readonly as: "Table"; readonly wide: boolean }
  | { readonly as: "Objects"; readonly print: ObjectPrinter };

/** Text for stdout of one object or of a `v1 List` of them. */
export type ObjectPrinter = (value: ApiObject | ListValue) => string;

export interface ListValue {
  readonly apiVersion: "v1";
  readonly kind: "List";
  readonly metadata: Readonly<Record<string, never>>;
  readonly items: readonly ApiObject[];
}

const OUTPUT_FORMATS = ["wide", "json", "yaml", "name", "jsonpath=TEMPLATE", "custom-columns=SPEC"];

/** Reads the value of `-o`. Throws usage errors. */
export function outputFormat(flag: string | undefined): OutputFormat {
  if (flag === undefined || flag === "") return { as: "Table", wide: false };
  if (flag === "wide") return { as: "Table", wide: true };
  const [name = "", ...rest] = flag.split("=");
  const argument = rest.join("=");
  const printer = printerOf(name, argument);
  if (printer === undefined)
    throw usageError(
      `unable to match a printer suitable for the output format "${flag}"`,
      `allowed: ${OUTPUT_FORMATS.join(", ")}`,
    );
  return { as: "Objects", print: printer };
}

function printerOf(name: string, argument: string): ObjectPrinter | undefined {
  switch (name) {
    case "json":
      return (value) => `${JSON.stringify(value, undefined, 4)}\n`;
    case "yaml":
      return (value) => yamlText(value);
    case "name":
      return (value) =>
        itemsOf(value)
          .map((item) => `${nameOf(item)}\n`)
          .join("");
    case "jsonpath":
    case "jsonpath-as-json":
      if (argument === "") throw usageError(`-o ${name} needs a template`, `as -o ${name}='{.metadata.name}'`);
      return name === "jsonpath"
        ? (value) => jsonPathText(argument, value)
        : (value) => `${JSON.stringify(jsonPathValues(argument, value), undefined, 4)}\n`;
    case "custom-columns":
      return customColumns(argument);
    default:
      return undefined;
  }
}

/** `agentpool.town.dev/crew`: usable as an argument of every resource verb. */
export function nameOf(object: ApiObject): string {
  const group = object.apiVersion.includes("/") ? `.${object.apiVersion.split("/")[0]}` : "";
  return `${object.kind.toLowerCase()}${group}/${object.metadata.name}`;
}

function customColumns(spec: string): ObjectPrinter {
  const columns = spec.split(",").map((part) => {
    const colon = part.indexOf(":");
    if (colon < 1)
      throw usageError(
        `-o custom-columns: "${part}" is not HEADER:PATH`,
        "as -o custom-columns=NAME:.metadata.name,ROLE:.spec.role",
      );
    return { header: part.slice(0, colon), path: part.slice(colon + 1) };
  });
  return (value) =>
    tableLines({
      headers: columns.map((column) => column.header),
      rows: itemsOf(value).map((item) =>
        columns.map((column) => {
          const found = jsonPathValues(column.path, item);
          return found.length === 0 ? "<none>" : found.map(valueText).join(",");
        }),
      ),
    });
}

function itemsOf(value: ApiObject | ListValue): readonly ApiObject[] {
  return "items" in value ? value.items : [value];
}
