import { ApiStatusError } from "../../errors/town-error.ts";
import type { Api } from "../connection/api.ts";
import { bodyOf } from "../connection/api-status.ts";
import type { CommandContext } from "../context.ts";
import { CliError, EXIT, usageError } from "../exit-codes.ts";
import type { ObjectPrinter } from "../output/object-format.ts";
import { plainText } from "../output/terminal-text.ts";
import { tableLines } from "../output/table.ts";
import { pathOf, withQuery, type ResourceType } from "../resources/discovery.ts";
import type { ApiObject, ObjectList } from "../resources/objects.ts";
import type { Selection } from "../resources/selection.ts";
import { TABLE_ACCEPT, textTableOf, type ServerTable } from "../resources/server-table.ts";
import { watchLines } from "../resources/watch-stream.ts";
import type { GetOptions } from "./get-options.ts";

interface WatchRequest {
  readonly api: Api;
  readonly options: GetOptions;
  readonly selections: readonly Selection[];
  /** Absent: table rows. */
  readonly printer: ObjectPrinter | undefined;
  /** Changes only, without the present state first. */
  readonly only: boolean;
}

/** Prints the present state, then every change, until interrupted. An expired version starts over with a fresh list. */
export async function watchObjects(request: WatchRequest, context: CommandContext): Promise<number> {
  const [selection, second] = request.selections;
  const names = selection?.names ?? [];
  if (selection === undefined || second !== undefined || names.length > 1)
    throw usageError(
      "only one type, or one object, can be watched",
      "leave out the others, or start one watch for each",
    );
  const fields = names[0] === undefined ? request.options.fields : `metadata.name=${names[0]}`;
  const print =
    request.printer === undefined
      ? rowPrinter(selection.type, request, context)
      : objectPrinter(request.printer, context);
  const query = { labelSelector: request.options.labels, fieldSelector: fields };
  const path = pathOf(selection.type, request.options.scope);
  let quiet = request.only;
  for (;;) {
    const listed = await list(request, withQuery(path, query));
    if (!quiet) print(listed, "ADDED");
    else if (request.printer === undefined) print({ ...listed, rows: [] } as ServerTable, "ADDED");
    quiet = true;
    try {
      await follow(
        request,
        withQuery(path, { ...query, watch: "true", resourceVersion: listed.metadata?.resourceVersion }),
        print,
        context,
      );
      throw new CliError(
        EXIT.unreachable,
        "WatchEnded",
        "the server ended the watch",
        "the daemon stopped; `town status` says what is running",
      );
    } catch (error) {
      if (!(error instanceof ApiStatusError) || error.code !== 410) throw error;
      quiet = false;
    }
  }
}

type Printer = (value: ServerTable | ObjectList | ApiObject, type: string) => void;

async function list(request: WatchRequest, path: string): Promise<ServerTable | ObjectList> {
  const answer = await request.api.send({
    method: "GET",
    path,
    ...(request.printer === undefined ? { accept: TABLE_ACCEPT } : {}),
  });
  return bodyOf<ServerTable | ObjectList>(answer);
}

async function follow(request: WatchRequest, path: string, print: Printer, context: CommandContext): Promise<void> {
  const accept = request.printer === undefined ? { accept: TABLE_ACCEPT } : {};
  for await (const event of watchLines<ServerTable | ApiObject>(request.api, path, {
    ...accept,
    signal: context.signal,
  })) {
    if (event.type !== "BOOKMARK") print(event.object, event.type);
  }
}

/** Rows under one header, columns as wide as the widest cell so far. */
function rowPrinter(type: ResourceType, request: WatchRequest, context: CommandContext): Printer {
  const { options } = request;
  const view = { ...options.view, withNamespace: type.namespaced && options.scope.namespace === undefined };
  const widths: number[] = [];
  let columns: ServerTable["columnDefinitions"];
  let withHeaders = options.table.withHeaders !== false;
  return (value) => {
    const table = value as ServerTable;
    if ((table.columnDefinitions ?? []).length > 0) columns = table.columnDefinitions;
    const text = textTableOf({ ...table, ...(columns === undefined ? {} : { columnDefinitions: columns }) }, view);
    if (text.rows.length === 0 && widths.length === 0 && !request.only) return;
    context.streams.out(tableLines(text, { ...options.table, withHeaders, widths }));
    withHeaders = false;
  };
}

function objectPrinter(printer: ObjectPrinter, context: CommandContext): Printer {
  return (value) => {
    const objects = "items" in value ? (value as ObjectList).items : [value as ApiObject];
    for (const object of objects) context.streams.out(plainText(printer(object)));
  };
}
