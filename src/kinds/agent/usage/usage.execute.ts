import { readUsage, USAGE_FORMATS } from "../../../domain/agent-program/usage-records.ts";
import type { LoopPorts } from "../../../ports/loop-ports.ts";
import { agentRecord } from "../../../work/agent-record.ts";
import { conversationsOf } from "../../../work/conversation.ts";
import { noteUsage } from "../../../work/ledger.ts";
import { addUsageByName, priced } from "../../../work/usage.ts";
import { keepUsagePlace, usagePlace } from "../../../work/usage-places.ts";
import { type UsageAgent, usageOfProvider } from "./usage.observe.ts";
import { MOST_BYTES, type UsageAction } from "./usage.plan.ts";

/** Where a program does not say which model it was. */
const UNNAMED_MODEL = "unnamed";
const AUTHOR = { actor: "loop/usage" };

/**
 * Counts what is new and records, in one transaction, the sums and how far the record was read: killed in between,
 * nothing is counted twice. A record that became shorter is another one, and is read from its beginning.
 */
export async function executeUsage(action: UsageAction, object: UsageAgent, ports: LoopPorts): Promise<void> {
  const graph = ports.graphs.graph(object.metadata.namespace ?? "hq");
  const agent = graph === undefined ? undefined : agentRecord(graph, object.metadata.name);
  const conversation =
    agent === undefined ? undefined : conversationsOf(agent).find(({ session }) => session === action.session);
  if (graph === undefined || agent === undefined || conversation === undefined) return;
  const usage = usageOfProvider(conversation.provider, ports);
  if (usage === undefined) return;
  const former = usagePlace(agent, action.session);
  const size = (await ports.files.stat(action.path))?.size ?? 0;
  const isLines = USAGE_FORMATS[usage.format] === "Lines";
  const start = isLines && size >= former.offset ? former.offset : 0;
  const bytes = (await ports.files.readFrom(action.path, start, MOST_BYTES)) ?? new Uint8Array();
  const reading =
    bytes.length === 0
      ? { place: former, added: [] }
      : readUsage(usage.format, new TextDecoder().decode(bytes), { ...former, offset: start });
  // A line longer than a look can hold is no record of usage.
  const isStuck = isLines && bytes.length >= MOST_BYTES && reading.place.offset === start;
  const place = isStuck ? { ...reading.place, offset: start + bytes.length } : reading.place;
  const models = reading.added
    .map((each) => ({ [each.model === "" ? UNNAMED_MODEL : each.model]: priced(each, usage.prices) }))
    .reduce(addUsageByName, {});
  await graph.transact(AUTHOR, (tx) => {
    const now = agentRecord(tx, object.metadata.name);
    // Somebody else has counted meanwhile.
    if (now === undefined || usagePlace(now, action.session).seen !== former.seen) return;
    keepUsagePlace(tx, now, action.session, {
      ...place,
      atMs: ports.clock.now(),
      seen: start + bytes.length,
      ...(action.final ? { final: true } : {}),
    });
    if (Object.keys(models).length > 0) noteUsage(tx, { agent: now, bead: conversation.bead, models });
  });
}
