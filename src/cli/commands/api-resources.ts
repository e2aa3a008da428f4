import { isSet, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { coloursWanted } from "../output/colour.ts";
import { tableLines } from "../output/table.ts";
import { discoverTypes, type ResourceType } from "../resources/discovery.ts";

export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const group = textFlag(input, "apiGroup");
  const namespaced = input.flags["namespaced"];
  const verbs = textFlag(input, "verbs")?.split(",") ?? [];
  const types = (await discoverTypes(context.api())).filter(
    (type) =>
      (group === undefined || type.group === group) &&
      (namespaced === undefined || String(type.namespaced) === namespaced) &&
      verbs.every((verb) => type.verbs.includes(verb)),
  );
  const output = textFlag(input, "output");
  if (output === "name")
    context.streams.out(
      types.map((type) => `${type.group === "" ? type.plural : `${type.plural}.${type.group}`}\n`).join(""),
    );
  else if (output === "json") context.streams.out(`${JSON.stringify(types, undefined, 2)}\n`);
  else context.streams.out(table(types, output === "wide", !isSet(input, "noHeaders"), context));
  return EXIT.done;
}

function table(
  types: readonly ResourceType[],
  wide: boolean,
  withHeaders: boolean,
  { streams, env }: CommandContext,
): string {
  const headers = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", ...(wide ? ["VERBS", "CATEGORIES"] : [])];
  const rows = types.map((type) => [
    type.plural,
    type.shortNames.join(","),
    type.group === "" ? type.version : `${type.group}/${type.version}`,
    String(type.namespaced),
    type.kind,
    ...(wide ? [type.verbs.join(","), type.categories.join(",")] : []),
  ]);
  return tableLines({ headers, rows }, { withHeaders, colours: coloursWanted(streams.outIsTerminal, env) });
}
