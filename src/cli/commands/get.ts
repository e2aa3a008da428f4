import { ApiStatusError } from "../../errors/town-error.ts";
import type { Api } from "../connection/api.ts";
import { bodyOf } from "../connection/api-status.ts";
import { isSet, listFlag, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { errorText } from "../error-text.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { coloursWanted } from "../output/colour.ts";
import { jsonPathValues, valueText } from "../output/json-path.ts";
import { outputFormat, type ListValue, type ObjectPrinter } from "../output/object-format.ts";
import { plainText } from "../output/terminal-text.ts";
import { tableLines } from "../output/table.ts";
import { areNamed, discoverTypes, pathOf, typeText, withQuery, type ResourceType } from "../resources/discovery.ts";
import { KNOWN_TYPES } from "../resources/known-types.ts";
import { scopeOf } from "../resources/flags.ts";
import {
  getObject,
  listObjects,
  notFound,
  withoutManagedFields,
  type ApiObject,
  type Scope,
} from "../resources/objects.ts";
import { selectionsOf, type Selection } from "../resources/selection.ts";
import { joinedTables, TABLE_ACCEPT, textTableOf, type ServerTable } from "../resources/server-table.ts";
import type { GetOptions } from "./get-options.ts";
import { watchObjects } from "./get-watch.ts";

export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const api = context.api();
  if (input.args.length > 0 && areNamed(input.args, KNOWN_TYPES)) {
    try {
      return await show(KNOWN_TYPES, input, context);
    } catch (error) {
      if (!isUnservedPath(error)) throw error;
    }
  }
  return await show(await discoverTypes(api, input.args), input, context);
}

/** Answered by the path's absence, not by an object's: only the latter says what it lacks. */
function isUnservedPath(error: unknown): boolean {
  return error instanceof ApiStatusError && error.code === 404 && error.details === undefined;
}

async function show(types: readonly ResourceType[], input: CommandInput, context: CommandContext): Promise<number> {
  const api = context.api();
  const format = outputFormat(textFlag(input, "output"));
  const selections = selectionsOf(input.args, types, { command: "get" });
  const options = optionsOf(input, context, format.as === "Table" && format.wide);
  checked(options, selections);
  if (isSet(input, "watch") || isSet(input, "watchOnly")) {
    const printer = format.as === "Table" ? undefined : format.print;
    return await watchObjects({ api, options, selections, printer, only: isSet(input, "watchOnly") }, context);
  }
  const request = { api, selections, options };
  return format.as === "Table"
    ? await printTables(request, context)
    : await printObjects(request, format.print, context);
}

interface GetRequest {
  readonly api: Api;
  readonly selections: readonly Selection[];
  readonly options: GetOptions;
}

function optionsOf(input: CommandInput, context: CommandContext, wide: boolean): GetOptions {
  const { streams } = context;
  return {
    scope: scopeOf(input),
    labels: textFlag(input, "selector"),
    fields: textFlag(input, "fieldSelector"),
    sortBy: textFlag(input, "sortBy"),
    ignoreNotFound: isSet(input, "ignoreNotFound"),
    managedFields: isSet(input, "showManagedFields"),
    view: {
      wide,
      showLabels: isSet(input, "showLabels"),
      labelColumns: listFlag(input, "labelColumns").flatMap((keys) => keys.split(",")),
    },
    table: {
      withHeaders: !isSet(input, "noHeaders"),
      colours: coloursWanted(streams.outIsTerminal, context.env),
      columns: wide ? undefined : streams.columns,
    },
  };
}

function checked(options: GetOptions, selections: readonly Selection[]): void {
  const selector = options.labels ?? options.fields;
  if (selector !== undefined && selections.some((selection) => selection.names !== undefined)) {
    throw usageError(
      "a selector cannot be used together with names",
      "leave out the names, or -l and --field-selector",
    );
  }
}

async function printTables({ api, selections, options }: GetRequest, context: CommandContext): Promise<number> {
  const failures: unknown[] = [];
  const blocks: string[] = [];
  for (const { type, names } of selections) {
    const table = await tableOf(api, { type, ...(names === undefined ? {} : { names }) }, options, failures);
    if ((table.rows ?? []).length === 0) continue;
    const several = new Set(selections.map((selection) => selection.type)).size > 1;
    const view = {
      ...options.view,
      withNamespace: type.namespaced && options.scope.namespace === undefined,
      ...(several ? { namePrefix: `${typeText(type)}/` } : {}),
    };
    blocks.push(tableLines(textTableOf(sorted(table, options.sortBy), view), options.table));
  }
  context.streams.out(blocks.join("\n"));
  if (blocks.length === 0 && failures.length === 0 && !options.ignoreNotFound)
    context.streams.err(noneFound(options.scope));
  return reported(failures, context);
}

async function tableOf(api: Api, selection: Selection, options: GetOptions, failures: unknown[]): Promise<ServerTable> {
  const { type, names } = selection;
  if (names === undefined) return await listTable(api, type, options);
  const tables: ServerTable[] = [];
  for (const name of names) {
    try {
      tables.push(await namedTable(api, type, name, options));
    } catch (error) {
      if (!(error instanceof ApiStatusError) || isUnservedPath(error)) throw error;
      if (!(options.ignoreNotFound && error.code === 404)) failures.push(error);
    }
  }
  return joinedTables(tables);
}

/** The listing as the server renders it. */
async function listTable(
  api: Api,
  type: ResourceType,
  options: Pick<GetOptions, "scope" | "labels" | "fields" | "sortBy">,
): Promise<ServerTable> {
  const query = {
    labelSelector: options.labels,
    fieldSelector: options.fields,
    includeObject: options.sortBy === undefined ? undefined : "Object",
  };
  return await tableAt(api, withQuery(pathOf(type, options.scope), query));
}

/** One object's row; without a namespace it is looked for in all of them. */
async function namedTable(api: Api, type: ResourceType, name: string, options: GetOptions): Promise<ServerTable> {
  if (!type.namespaced || options.scope.namespace !== undefined)
    return await tableAt(api, pathOf(type, { ...options.scope, name }));
  const table = await listTable(api, type, { ...options, fields: `metadata.name=${name}` });
  if ((table.rows ?? []).length === 0) throw notFound(type, name);
  return table;
}

async function tableAt(api: Api, path: string): Promise<ServerTable> {
  const body = bodyOf<ServerTable>(await api.send({ method: "GET", path, accept: TABLE_ACCEPT }));
  if (body.kind !== "Table")
    throw new ApiStatusError(406, "NotAcceptable", `the server does not send tables for ${path}`, {
      hint: "use -o json",
    });
  return body;
}

function sorted(table: ServerTable, path: string | undefined): ServerTable {
  if (path === undefined) return table;
  const keyed = (table.rows ?? []).map((row) => ({ row, key: jsonPathValues(path, row.object)[0] }));
  keyed.sort((a, b) => compared(a.key, b.key));
  return { ...table, rows: keyed.map(({ row }) => row) };
}

function sortedItems(items: readonly ApiObject[], path: string | undefined): readonly ApiObject[] {
  if (path === undefined) return items;
  return [...items].sort((a, b) => compared(jsonPathValues(path, a)[0], jsonPathValues(path, b)[0]));
}

/** Missing values first, numbers as numbers, texts with numbers in them as people count. */
function compared(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return valueText(a).localeCompare(valueText(b), "en", { numeric: true });
}

async function printObjects(
  { api, selections, options }: GetRequest,
  print: ObjectPrinter,
  context: CommandContext,
): Promise<number> {
  const failures: unknown[] = [];
  const items: ApiObject[] = [];
  for (const { type, names } of selections) {
    if (names === undefined) {
      const list = await listObjects(api, type, options.scope, { labels: options.labels, fields: options.fields });
      items.push(...list.items);
      continue;
    }
    for (const name of names) {
      try {
        items.push(await getObject(api, type, options.scope, name));
      } catch (error) {
        if (!(error instanceof ApiStatusError) || isUnservedPath(error)) throw error;
        if (!(options.ignoreNotFound && error.code === 404)) failures.push(error);
      }
    }
  }
  const shown = sortedItems(items, options.sortBy).map((item) =>
    options.managedFields ? item : withoutManagedFields(item),
  );
  const single = selections.length === 1 && selections[0]?.names?.length === 1;
  const [first] = shown;
  if (!single)
    context.streams.out(
      plainText(print({ apiVersion: "v1", kind: "List", metadata: {}, items: shown } satisfies ListValue)),
    );
  else if (first !== undefined) context.streams.out(plainText(print(first)));
  return reported(failures, context);
}

function noneFound(scope: Scope): string {
  return scope.namespace === undefined
    ? "No resources found\n"
    : `No resources found in ${scope.namespace} namespace.\n`;
}

function reported(failures: readonly unknown[], context: CommandContext): number {
  for (const failure of failures) context.streams.err(errorText(failure));
  if (failures.length === 0) return EXIT.done;
  return failures.every((failure) => failure instanceof ApiStatusError && failure.code === 404)
    ? EXIT.notFound
    : EXIT.failed;
}
