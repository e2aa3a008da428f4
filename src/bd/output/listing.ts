import type { BeadRecord, BeadSketch } from "../../domain/work-graph/bead.ts";
import { TownError } from "../../errors/town-error.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { inFull } from "../access/full-text.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, Call, Truncation } from "../command.ts";
import { customTypes, typeHint } from "../values/issue-type.ts";
import { listedBead } from "./bead-json.ts";
import { beadLine, briefLine, treeLines, waitNote } from "./bead-line.ts";

/** A bead with the store it came from. */
export interface ListedBead {
  readonly graph: WorkGraph;
  readonly record: BeadRecord;
  /** What is known of it before its record is read. */
  readonly sketch?: BeadSketch;
}

/** A bead of a list of which few are shown: its record is read when somebody looks. */
export class UnreadBead implements ListedBead {
  readonly graph: WorkGraph;
  readonly sketch: BeadSketch;

  constructor(graph: WorkGraph, sketch: BeadSketch) {
    this.graph = graph;
    this.sketch = sketch;
  }

  get record(): BeadRecord {
    const record = this.graph.get(this.sketch.id);
    if (record !== undefined) return record;
    throw new TownError("NotFound", `${this.sketch.id} was deleted while it was listed`, { hint: "list again" });
  }
}

/** What is known of a listed bead without reading its record. */
export function sketchOf(bead: ListedBead): BeadSketch {
  return bead.sketch ?? bead.record;
}

/** The first `limit` of them (0 or undefined: all), and whether there were more. */
export function limited<T>(
  all: readonly T[],
  limit: number | undefined,
  total = all.length,
): { readonly shown: readonly T[]; readonly truncated?: Truncation } {
  if (limit === undefined || limit <= 0 || total <= limit) return { shown: all };
  return { shown: all.slice(0, limit), truncated: { shown: limit, total } };
}

/** The answer of a command that lists beads; their texts in full where `--full` says so. */
export async function listing(
  call: Call,
  found: readonly ListedBead[],
  options: {
    readonly limit: number | undefined;
    /** How many there are, where only those that are shown were looked for. */
    readonly total?: number;
    readonly isTree: boolean;
    /** Printed when nothing was found. */
    readonly nothing: string;
    /** Of how many were found, whether shown or not. */
    readonly title?: (count: number) => string;
  },
): Promise<Answer> {
  const { shown: first, truncated } = limited(found, options.limit, options.total);
  const read = call.flags.isSet("full") ? await inFull(first, call.context) : undefined;
  const shown = read?.beads ?? first;
  return {
    text: () => listingText(call, shown, { ...options, count: truncated?.total ?? shown.length }),
    json: call.isJson ? shown.map(({ graph, record }) => listedBead(graph, record)) : undefined,
    notes: [
      ...(read?.notes ?? []),
      ...(found.length === 0 ? [...(await unknownTypes(call)), ...otherStores(call), ...firstSteps(call)] : []),
    ],
    ...(truncated === undefined ? {} : { truncated }),
  };
}

/** In a town a person may look for what is in the store of a rig. */
function otherStores({ flags, home, context }: Call): readonly string[] {
  const others = context.graphs.all().length - 1;
  if (others < 1 || context.session !== undefined || flags.isSet("all-rigs") || flags.has("rig")) return [];
  return [`Note: these are the beads of ${home.namespace}; --rig NAME looks into those of a rig, --all-rigs into all.`];
}

/** A person who looks into an empty store is shown what fills it. */
function firstSteps({ home, columns, own }: Call): readonly string[] {
  if (columns === undefined || home.sketches().length > 0) return [];
  return [
    own('Note: there are no beads here yet.\n  bd create "Title" makes one; bd sync fetches those of the remote.'),
  ];
}

/** Types may be called anything; one that is found nowhere is likely a slip. */
async function unknownTypes({ flags, home, context }: Call): Promise<readonly string[]> {
  const wanted = flags.list("type");
  if (wanted.length === 0) return [];
  const custom = customTypes((await settingsOf(home, context))["types.custom"]);
  return wanted.flatMap((type) => {
    const hint = typeHint(type, custom);
    return hint === undefined ? [] : [`Note: no type is called "${type}"; ${hint}`];
  });
}

function listingText(
  call: Call,
  shown: readonly ListedBead[],
  {
    isTree,
    nothing,
    title,
    count,
  }: Pick<Parameters<typeof listing>[2], "isTree" | "nothing" | "title"> & { readonly count: number },
): string {
  const records = shown.map(({ record }) => record);
  if (call.isBrief) return records.map(briefLine).join("\n");
  if (records.length === 0) return nothing;
  const graphs = new Map(shown.map(({ graph, record }) => [record.id, graph]));
  const lines = isTree
    ? treeLines(records, (record) => graphs.get(record.id) ?? call.home, call)
    : shown.map(({ graph, record }) => beadLine(record, call, waitNote(record, graph)));
  return [...(title === undefined ? [] : [title(count), ""]), ...lines].join("\n");
}
