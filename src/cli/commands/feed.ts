import { bodyOf } from "../connection/api-status.ts";
import { ApiStatusError } from "../../errors/town-error.ts";
import { isSet, numberFlag, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { coloursWanted, paintState } from "../output/colour.ts";
import { inEventOrder, eventTimeMs, type EventObject } from "../output/describe.ts";
import { cellText } from "../output/terminal-text.ts";
import { withQuery } from "../resources/discovery.ts";
import { scopeOf } from "../resources/flags.ts";
import { watchLines } from "../resources/watch-stream.ts";

const RECENT = 20;

/** The town's events as a running log, one line each: recent ones, then new ones until interrupted. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const api = context.api();
  const { namespace } = scopeOf(input);
  const base =
    namespace === undefined ? "/api/v1/events" : `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const coloured = coloursWanted(context.streams.outIsTerminal, context.env);
  const asJson = textFlag(input, "output") === "json";
  const print = (event: EventObject): void =>
    context.streams.out(asJson ? `${JSON.stringify(event)}\n` : lineOf(event, coloured));
  let recent = numberFlag(input, "tail") ?? RECENT;
  for (;;) {
    const list = bodyOf<{
      readonly metadata?: { readonly resourceVersion?: string };
      readonly items: readonly EventObject[];
    }>(await api.send({ method: "GET", path: base }));
    const past = inEventOrder(list.items);
    for (const event of recent === 0 ? [] : past.slice(-recent)) print(event);
    if (isSet(input, "once")) return EXIT.done;
    recent = 0;
    try {
      for await (const event of watchLines<EventObject>(
        api,
        withQuery(base, { watch: "true", resourceVersion: list.metadata?.resourceVersion }),
        { signal: context.signal },
      )) {
        if (event.type === "ADDED" || event.type === "MODIFIED") print(event.object);
      }
      return EXIT.done;
    } catch (error) {
      if (!(error instanceof ApiStatusError) || error.code !== 410) throw error;
    }
  }
}

/** `2026-01-02T03:04:05Z api Agent/toast SessionStarted: text`; a warning says so. */
function lineOf(event: EventObject, coloured: boolean): string {
  const time = new Date(eventTimeMs(event)).toISOString().replace(/\.\d{3}Z$/, "Z");
  const about = event.involvedObject;
  const place = about?.namespace ?? "-";
  const warning = event.type === "Warning" ? `${coloured ? paintState("Warning") : "Warning"} ` : "";
  return `${time} ${cellText(place)} ${cellText(`${about?.kind ?? "?"}/${about?.name ?? "?"}`)} ${warning}${cellText(`${event.reason ?? ""}: ${event.message ?? ""}`)}\n`;
}
