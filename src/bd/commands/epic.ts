import type { EpicStatus } from "../../domain/work-graph/queries/epics.ts";
import { epicStatus, openEpics } from "../../domain/work-graph/queries/epics.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { findBead } from "../access/find-bead.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag } from "../grammar/flag.ts";
import { listedBead, shortBead } from "../output/bead-json.ts";
import { cleanLine } from "../output/plain-text.ts";
import { closeBead } from "../writes/close-bead.ts";
import { eachBead } from "../writes/each-bead.ts";

interface FoundEpic extends EpicStatus {
  readonly graph: WorkGraph;
}

export const epicStatusCommand: BdCommand = {
  name: "epic status",
  group: "Finding work",
  summary: "how far epics are",
  args: "[id...]",
  flags: [flag("eligible-only", "only those whose children are all closed"), allStoresFlag],
  run: (call) => {
    const epics = foundEpics(call).filter(({ closable }) => closable || !call.flags.isSet("eligible-only"));
    return {
      text: epics.length === 0 ? "No open epics." : epics.map((epic) => epicText(epic, call)).join("\n"),
      json: epics.map(({ epic, children, closedChildren, work, closedWork, closable }) => ({
        epic: shortBead(epic),
        total_children: children,
        closed_children: closedChildren,
        total_work: work,
        closed_work: closedWork,
        eligible_for_close: closable,
      })),
    };
  },
};

function foundEpics(call: Call): readonly FoundEpic[] {
  if (call.args.length === 0)
    return scopeOf(call).flatMap((graph) => openEpics(graph).map((epic) => ({ ...epic, graph })));
  return call.args.map((id) => {
    const { graph, record } = findBead(id, call.context);
    return { ...epicStatus(graph, record), graph };
  });
}

function epicText(
  { epic, children, closedChildren, closable, needsDecomposition }: FoundEpic,
  { paint }: Call,
): string {
  const percent = children === 0 ? 0 : Math.floor((closedChildren * 100) / children);
  const sign = closable ? paint("green", "✓") : "○";
  const state = closable ? " (can be closed)" : needsDecomposition ? " (needs children)" : "";
  return `${sign} ${paint("bold", epic.id)} ${cleanLine(epic.title)}\n    ${closedChildren}/${children} children closed, ${percent} %${state}`;
}

export const epicCloseCommand: BdCommand = {
  name: "epic close-eligible",
  group: "Issues",
  summary: "close the epics whose children are all closed",
  flags: [flag("dry-run", "only show them"), allStoresFlag],
  writes: true,
  run: closeEligible,
};

async function closeEligible(call: Call): Promise<Answer> {
  const epics = foundEpics({ ...call, args: [] }).filter(({ closable }) => closable);
  if (epics.length === 0) return { text: "No epic can be closed.", json: [] };
  if (call.flags.isSet("dry-run"))
    return {
      text: epics.map(({ epic }) => `Would close ${epic.id} - ${cleanLine(epic.title)}`).join("\n"),
      json: epics.map(({ graph, epic }) => listedBead(graph, epic)),
    };
  const ids = epics.map(({ epic }) => epic.id);
  const { done, notes, exitCode } = await eachBead(call, ids, (tx, id) =>
    closeBead(tx, id, { reason: "All children completed" }, call),
  );
  return {
    text: done
      .map(({ value }) => `${call.paint("green", "✓")} Closed ${value.closed.id} - ${cleanLine(value.closed.title)}`)
      .join("\n"),
    json: done.map(({ graph, value }) => listedBead(graph, value.closed)),
    notes,
    exitCode,
  };
}
