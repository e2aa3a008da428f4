import { bodyOf } from "../connection/api-status.ts";
import { isSet, listFlag, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { coloursWanted } from "../output/colour.ts";
import { eventAge, inEventOrder, type EventObject } from "../output/describe.ts";
import { outputFormat } from "../output/object-format.ts";
import { plainText } from "../output/terminal-text.ts";
import { tableLines } from "../output/table.ts";
import { discoverTypes, withQuery } from "../resources/discovery.ts";
import { scopeOf } from "../resources/flags.ts";
import type { ApiObject } from "../resources/objects.ts";
import { selectionsOf } from "../resources/selection.ts";
import { watchLines } from "../resources/watch-stream.ts";

interface EventList {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly items: readonly EventObject[];
}

/** Events of a namespace, of all, or of one object (`--for`), oldest first; with -w also those to come. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const api = context.api();
  const { namespace } = scopeOf(input);
  const base =
    namespace === undefined ? "/api/v1/events" : `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const fieldSelector = await selectorOf(input, context);
  const list = bodyOf<EventList>(await api.send({ method: "GET", path: withQuery(base, { fieldSelector }) }));
  const types = listFlag(input, "types").flatMap((text) => text.split(","));
  const wanted = (event: EventObject): boolean =>
    types.length === 0 || types.some((type) => type.toLowerCase() === (event.type ?? "Normal").toLowerCase());
  const events = inEventOrder(list.items.filter(wanted));
  const print = printer(input, context, namespace === undefined);
  const watching = isSet(input, "watch");
  if (events.length === 0 && !watching) context.streams.err("No events found\n");
  else print(events);
  if (!watching) return EXIT.done;
  const path = withQuery(base, { fieldSelector, watch: "true", resourceVersion: list.metadata?.resourceVersion });
  for await (const event of watchLines<EventObject>(api, path, { signal: context.signal })) {
    if ((event.type === "ADDED" || event.type === "MODIFIED") && wanted(event.object)) print([event.object]);
  }
  return EXIT.done;
}

async function selectorOf(input: CommandInput, context: CommandContext): Promise<string | undefined> {
  const about = textFlag(input, "for");
  if (about === undefined) return undefined;
  const [selection, second] = selectionsOf([about], await discoverTypes(context.api(), [about]), {
    command: "events --for",
    namesRequired: true,
  });
  const name = selection?.names?.[0];
  if (selection === undefined || second !== undefined || name === undefined) throw usageError("--for needs TYPE/NAME");
  return `involvedObject.kind=${selection.type.kind},involvedObject.name=${name}`;
}

function printer(
  input: CommandInput,
  context: CommandContext,
  withNamespace: boolean,
): (events: readonly EventObject[]) => void {
  const output = textFlag(input, "output");
  const format = outputFormat(output);
  if (format.as === "Objects") {
    const watching = isSet(input, "watch");
    return (events) => {
      const items = events as unknown as readonly ApiObject[];
      if (watching) for (const item of items) context.streams.out(plainText(format.print(item)));
      else context.streams.out(plainText(format.print({ apiVersion: "v1", kind: "List", metadata: {}, items })));
    };
  }
  const widths: number[] = [];
  let withHeaders = !isSet(input, "noHeaders");
  return (events) => {
    const headers = [...(withNamespace ? ["NAMESPACE"] : []), "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    const rows = events.map((event) => [
      ...(withNamespace ? [event.involvedObject?.namespace ?? event.metadata.namespace ?? "<none>"] : []),
      eventAge(event, context.now()),
      event.type ?? "Normal",
      event.reason ?? "",
      `${event.involvedObject?.kind ?? "?"}/${event.involvedObject?.name ?? "?"}`,
      event.message ?? "",
    ]);
    const { streams } = context;
    streams.out(
      tableLines(
        { headers, rows },
        { withHeaders, widths, colours: coloursWanted(streams.outIsTerminal, context.env) },
      ),
    );
    withHeaders = false;
  };
}
