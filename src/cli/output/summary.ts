import { bold } from "./colour.ts";
import { tableLines, type TableOptions } from "./table.ts";
import type { Problem } from "../resources/problems.ts";
import type { TownFacts } from "../resources/town-summary.ts";
import { plainText } from "./terminal-text.ts";

/** What `town status -o json` prints; names here are stable. */
export interface TownSummary {
  readonly town: TownFacts & {
    /** What was used today, over the budget where there is one: `$4.21/$10.00`. */
    readonly spentToday?: string;
    /** Loops that were switched off; absent when all run. */
    readonly disabledLoops?: readonly string[];
  };
  /** Sessions running. */
  readonly sessions: number;
  readonly rigs: readonly {
    readonly name: string;
    readonly ready: string;
    readonly branch: string;
    readonly agents: number;
    readonly working: number;
    readonly merging: number;
    /** Beads that can be started now, and those that wait for others; absent until they were counted. */
    readonly todo?: number;
    readonly blocked?: number;
    readonly spentToday?: string;
  }[];
  readonly pools: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly role: string;
    readonly replicas: number;
    readonly running: number;
    readonly working: number;
    readonly ready: string;
  }[];
  /** Those with a bead on their hook. */
  readonly agents: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly role: string;
    readonly state: string;
    readonly hook: string;
    readonly step?: string;
  }[];
  /** Those with open items. */
  readonly convoys: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly progress: string;
    /** Why it stands where it does, in one word: Underway, Suspended, RigNotFound …; absent until it was looked at. */
    readonly state?: string;
    readonly working: number;
    readonly merging: number;
    readonly spent?: string;
  }[];
  /** Those that have not ended. */
  readonly mergeRequests: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly state: string;
    readonly bead: string;
    readonly author: string;
  }[];
  readonly problems: readonly Problem[];
}

/** Lines of one listing before it is cut with a count of the rest. */
const MOST_ROWS = 10;

export function summaryText(summary: TownSummary, options: Pick<TableOptions, "colours" | "columns">): string {
  const { town } = summary;
  // The line is to fit a terminal of 80 columns; -o json has the revision in full.
  const revision = town.revision === undefined ? "" : ` at ${town.revision.replace(/@sha1:([0-9a-f]{7}).*$/, "@$1")}`;
  const runtime = town.runtime === undefined || town.runtime === "Answering" ? "" : `, runtime ${town.runtime}`;
  const disabled =
    town.disabledLoops === undefined ? "" : `Disabled loops: ${town.disabledLoops.join(", ")} (spec.loops, --loops)\n`;
  const head = `Town ${town.name}: ${town.sync}${revision}, ${town.suspended ? "Suspended" : town.health}, ${counted(summary.sessions, "session")} running${runtime}${town.spentToday === undefined ? "" : `, ${town.spentToday} today`}\n${disabled}`;
  const section = (
    title: string,
    headers: readonly string[],
    rows: readonly (readonly (string | number)[])[],
  ): string => {
    if (rows.length === 0) return "";
    const shown = rows.slice(0, MOST_ROWS).map((row) => row.map((cell) => (cell === "" ? "<none>" : String(cell))));
    const more = rows.length > MOST_ROWS ? `… and ${rows.length - MOST_ROWS} more\n` : "";
    return `\n${options.colours === true ? bold(title) : title}\n${tableLines({ headers, rows: shown }, options)}${more}`;
  };
  return plainOrColoured(
    [
      head,
      section(
        "Rigs",
        ["NAME", "READY", "BRANCH", "AGENTS", "TODO", "WORKING", "BLOCKED", "MERGING", "TODAY"],
        summary.rigs.map((rig) => [
          rig.name,
          rig.ready,
          rig.branch,
          rig.agents,
          rig.todo ?? "<unknown>",
          rig.working,
          rig.blocked ?? "<unknown>",
          rig.merging,
          rig.spentToday ?? "",
        ]),
      ),
      section(
        "Pools",
        ["NAMESPACE", "NAME", "ROLE", "REPLICAS", "RUNNING", "WORKING", "READY"],
        summary.pools.map((pool) => [
          pool.namespace,
          pool.name,
          pool.role,
          pool.replicas,
          pool.running,
          pool.working,
          pool.ready,
        ]),
      ),
      section(
        "Agents at work",
        ["NAMESPACE", "NAME", "ROLE", "STATE", "HOOK", "STEP"],
        summary.agents.map((agent) => [
          agent.namespace,
          agent.name,
          agent.role,
          agent.state,
          agent.hook,
          agent.step ?? "",
        ]),
      ),
      section(
        "Convoys",
        ["NAMESPACE", "NAME", "PROGRESS", "WORKING", "MERGING", "STATUS", "SPENT"],
        summary.convoys.map((convoy) => [
          convoy.namespace,
          convoy.name,
          convoy.progress,
          convoy.working,
          convoy.merging,
          convoy.state ?? "<unknown>",
          convoy.spent ?? "",
        ]),
      ),
      section(
        "Merge requests",
        ["NAMESPACE", "NAME", "STATE", "BEAD", "AUTHOR"],
        summary.mergeRequests.map((request) => [
          request.namespace,
          request.name,
          request.state,
          request.bead,
          request.author,
        ]),
      ),
      section(
        "Problems",
        ["OBJECT", "REASON", "MESSAGE"],
        summary.problems.map((problem) => [problem.object, problem.reason, problem.message]),
      ),
      summary.problems.length === 0 ? "\nNo problems.\n" : moreAbout(summary.problems),
    ].join(""),
    options.colours === true,
  );
}

/** How to read on about an object; places in files need no more. */
function moreAbout(problems: readonly Problem[]): string {
  const first = problems
    .map(({ object }) => /^([A-Z]\w+)\/(?:([^/]+)\/)?([^/]+)$/.exec(object))
    .find((found) => found !== null);
  if (first === undefined) return "";
  const [, kind = "", namespace, name = ""] = first;
  return `\nMore: town describe ${kind.toLowerCase()}/${name}${namespace === undefined ? "" : ` -n ${namespace}`}\n`;
}

/** Table cells are clean already; colours, where wanted, must survive. */
function plainOrColoured(text: string, coloured: boolean): string {
  return coloured ? text : plainText(text);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
