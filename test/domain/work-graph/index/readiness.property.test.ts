import { describe, expect, test } from "vitest";
import type { BeadRecord, DependencyEdge } from "../../../../src/domain/work-graph/bead.ts";
import type { TextPlace } from "../../../../src/domain/work-graph/index/bead-table.ts";
import { BeadTable } from "../../../../src/domain/work-graph/index/bead-table.ts";
import { GraphIndex } from "../../../../src/domain/work-graph/index/graph-index.ts";
import { layColumns } from "../../../../src/domain/work-graph/index/lay-columns.ts";
import { fitsTable } from "../../../../src/domain/work-graph/index/table-record.ts";
import type { ForeignBeads } from "../../../../src/domain/work-graph/index/foreign-beads.ts";
import { decodeColumns, encodeColumns } from "../../../../src/graph/columns-file.ts";
import { statusBook } from "../../../../src/domain/work-graph/record/statuses.ts";
import { at, bead } from "../beads.ts";
import { fc, fuzzRuns } from "../../../property.ts";

/*
 * The oracle: the rules as prose says them, computed from nothing but the list of records each time. It shares no code
 * with the index and does everything the slow way.
 */
interface World {
  readonly records: ReadonlyMap<string, BeadRecord>;
  readonly now: number;
  readonly shipped: ReadonlySet<string>;
}

const notWork = [
  "merge-request",
  "gate",
  "molecule",
  "message",
  "agent",
  "role",
  "rig",
  "convoy",
  "event",
  "escalation",
];
const failed = /\b(failed|rejected|wontfix|won't fix|canceled|cancelled|abandoned|blocked|error|timeout|aborted)\b/i;

function oracle(world: World): string[] {
  const { records, now } = world;
  const alive = [...records.values()].filter((r) => r.status !== "tombstone");
  const find = (id: string) => alive.find((r) => r.id === id);
  const over = (r: BeadRecord) => ["closed", "pinned", "done"].includes(r.status);
  const edges = (r: BeadRecord): readonly DependencyEdge[] => r.dependencies ?? [];
  const later = (r: BeadRecord) => r.defer_until !== undefined && Date.parse(r.defer_until) > now;
  const waits = (r: BeadRecord): boolean =>
    edges(r).some((e) => {
      const external = /^external:([^:]*):(.*)$/.exec(e.depends_on_id);
      const blocking = ["blocks", "conditional-blocks", "merge-blocks", "waits-for"].includes(e.type);
      if (!blocking) return false;
      if (external) return !world.shipped.has(`${external[1]}/${external[2]}`);
      if (e.type === "waits-for") {
        const how = e.metadata === undefined ? {} : (JSON.parse(e.metadata) as { gate?: string; spawner_id?: string });
        const kids = alive.filter((k) =>
          edges(k).some((x) => x.type === "parent-child" && x.depends_on_id === (how.spawner_id ?? e.depends_on_id)),
        );
        const open = kids.filter((k) => !over(k));
        if (how.gate === "any-children") return open.length > 0 && open.length === kids.length;
        return open.length > 0;
      }
      const target = find(e.depends_on_id);
      if (target === undefined) return e.depends_on_id === "far-away";
      if (e.type === "merge-blocks")
        return !(
          target.metadata?.["town.merged"] === true ||
          (target.status === "closed" && /^(merged|no ?change)/i.test(target.close_reason ?? ""))
        );
      if (e.type === "conditional-blocks")
        return !(target.status === "closed" && failed.test(target.close_reason ?? ""));
      return !over(target);
    });
  const ancestors = (r: BeadRecord): BeadRecord[] => {
    const found = new Map<string, BeadRecord>();
    const walk = (x: BeadRecord): void => {
      for (const e of edges(x)) {
        const parent = e.type === "parent-child" ? find(e.depends_on_id) : undefined;
        if (parent === undefined || parent.id === r.id || found.has(parent.id)) continue;
        found.set(parent.id, parent);
        walk(parent);
      }
    };
    walk(r);
    return [...found.values()];
  };
  const holds = (r: BeadRecord) =>
    !over(r) && (["blocked", "deferred", "iced"].includes(r.status) || later(r) || waits(r));
  return alive
    .filter(
      (r) =>
        ["open", "triage"].includes(r.status) && r.pinned !== true && r.is_template !== true && r.ephemeral !== true,
    )
    .filter(
      (r) => !notWork.includes(r.issue_type) && r.issue_type !== "epic" && r.metadata?.["town.step"] === undefined,
    )
    .filter((r) => !later(r) && !waits(r) && !ancestors(r).some(holds))
    .sort(
      (a, b) =>
        a.priority - b.priority || Date.parse(a.created_at) - Date.parse(b.created_at) || (a.id < b.id ? -1 : 1),
    )
    .map((r) => r.id);
}

const ids = ["a", "b", "c", "d", "e"];
const target = fc.constantFrom(...ids, ...ids, "missing", "far-away", "external:web:login", "external:web:pay");
const type = fc.constantFrom(
  "waits-for",
  "waits-for",
  "blocks",
  "conditional-blocks",
  "waits-for",
  "merge-blocks",
  "parent-child",
  "parent-child",
  "related",
  "tracks",
);
const metadata = fc.constantFrom(
  undefined,
  '{"gate":"any-children"}',
  '{"gate":"all-children","spawner_id":"c"}',
  "{}",
);
const arbitraryBead = fc
  .record({
    id: fc.constantFrom(...ids),
    status: fc.constantFrom(
      "open",
      "open",
      "open",
      "in_progress",
      "closed",
      "blocked",
      "deferred",
      "pinned",
      "hooked",
      "tombstone",
      "triage",
      "done",
      "iced",
      "invalid",
    ),
    priority: fc.integer({ min: 0, max: 4 }),
    issue_type: fc.constantFrom("task", "task", "task", "task", "bug", "epic", "gate", "message", "molecule"),
    created: fc.integer({ min: 0, max: 3 }),
    defer: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    reason: fc.constantFrom("Closed", "failed: no", "Merged in 1", "NoChange", "Done"),
    flags: fc.constantFrom({}, {}, {}, { pinned: true }, { is_template: true }, { ephemeral: true }),
    meta: fc.constantFrom(undefined, undefined, { "town.merged": true }, { "town.step": "one" }),
    needs: fc.uniqueArray(fc.tuple(target, type, metadata), { maxLength: 3, selector: ([to]) => to }),
  })
  .map(({ id, created, defer, reason, flags, meta, needs, ...rest }) =>
    bead(id, {
      ...rest,
      ...flags,
      created_at: at(created),
      ...(defer === undefined ? {} : { defer_until: at(defer) }),
      ...(rest.status === "closed" ? { close_reason: reason } : {}),
      ...(meta === undefined ? {} : { metadata: meta }),
      needs: needs
        .filter(([to]) => to !== id)
        .map(([to, kind, data]) => (data === undefined ? [to, kind] : [to, kind, data])),
    }),
  );

type Step =
  | { readonly put: BeadRecord }
  | { readonly remove: string }
  | { readonly now: number }
  | { readonly ship: string }
  | { readonly isNewProcess: boolean; readonly rests: boolean; readonly changed: readonly string[] };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: arbitraryBead.map((put) => ({ put })) },
  { weight: 1, arbitrary: fc.constantFrom(...ids).map((remove) => ({ remove })) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 110 }).map((now) => ({ now })) },
  { weight: 1, arbitrary: fc.constantFrom("web/login", "web/pay").map((ship) => ({ ship })) },
  {
    weight: 2,
    arbitrary: fc.record({
      isNewProcess: fc.boolean(),
      rests: fc.boolean(),
      changed: fc.uniqueArray(fc.constantFrom(...ids), { maxLength: 3 }),
    }),
  },
);

/** Where the texts of a table lie in this test: `start` is the number of the record. */
class Texts {
  readonly records: BeadRecord[] = [];

  add(record: BeadRecord): TextPlace {
    return { start: this.records.push(record) - 1, length: 1, sum: 0 };
  }

  record({ start }: TextPlace): BeadRecord {
    return this.records[start] as BeadRecord;
  }

  text(place: TextPlace): string {
    return JSON.stringify(this.record(place));
  }
}

/** Puts everything into a table, by way of the file of the cache, and answers what fits into none. */
function putAway(index: GraphIndex, texts: Texts): { readonly table: BeadTable; readonly odd: readonly BeadRecord[] } {
  const { table: former, rows, records } = index.captured();
  const laid = {
    table: former,
    rows,
    records: records.filter(fitsTable).map((record) => [record, texts.add(record)] as const),
  };
  const layout = layColumns(laid);
  const head = { commit: "c", tree: "t", positions: {}, texts: "texts", textBytes: 0 };
  const odd = records.filter((record) => !fitsTable(record));
  const read = decodeColumns(encodeColumns({ head, columns: layout.columns, odd }));
  if (read === undefined) throw new Error("the file cannot be read");
  const table = new BeadTable(read.columns, texts);
  index.moveTo(table, laid, layout);
  return { table, odd: read.odd };
}

describe("ready work", () => {
  test("given any records changed in any way, asleep or awake, when asked, then the index says what the rules say of the records alone", () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryBead, { minLength: 4, maxLength: 8 }),
        fc.array(step, { minLength: 10, maxLength: 40 }),
        (first, steps) => {
          const shipped = new Set<string>();
          const foreign: ForeignBeads = {
            lookup: (id) => (id === "far-away" ? "Unavailable" : undefined),
            holds: () => false,
            provides: (project, capability) => shipped.has(`${project}/${capability}`),
          };
          const options = { statuses: statusBook("triage:active,done:done,iced:frozen"), foreign };
          let index = new GraphIndex(options);
          const records = new Map(first.map((record) => [record.id, record]));
          let now = Date.UTC(2026, 0, 1);
          const texts = new Texts();
          index.load(records.values());
          index.advance(now);
          const check = (): void => {
            const expected = oracle({ records, now, shipped });
            expect(index.readySketches().map(({ id }) => id)).toEqual(expected);
            const ready: BeadRecord[] = [];
            index.visitReady("Work", (record) => ready.push(record) > 0);
            expect(ready).toEqual(expected.map((id) => records.get(id)));
            expect(index.readyCount()).toBe(expected.length);
            for (const id of ids) {
              const record = index.record(id);
              if (record !== undefined && expected.includes(id)) expect(index.isReady(id)).toBe(true);
            }
          };
          check();
          for (const next of steps) {
            if ("put" in next) {
              records.set(next.put.id, next.put);
              index.put(next.put.id, next.put);
            } else if ("remove" in next) {
              records.delete(next.remove);
              index.put(next.remove, undefined);
            } else if ("now" in next) {
              now = Date.UTC(2026, 0, 1) + next.now;
              index.advance(now);
            } else if ("ship" in next) {
              shipped.add(next.ship);
              index.foreignChanged([`external:${next.ship.replace("/", ":")}`]);
            } else {
              const { table, odd } = putAway(index, texts);
              // Most sleep until somebody reads them; that must not be noticed.
              if (next.rests) index.rest();
              check();
              if (!next.isNewProcess) continue;
              // Some were changed since the table was written.
              const wisps = [...records.values()].filter(({ ephemeral }) => ephemeral === true);
              const changed = [...records.values()].filter(({ id }) => next.changed.includes(id));
              index = new GraphIndex(options);
              index.loadTable(table, next.changed);
              index.load([...odd.filter(({ id }) => !next.changed.includes(id)), ...wisps, ...changed]);
              index.advance(now);
            }
            check();
            expect([...index.sortedIds()]).toEqual([...records.keys()].sort());
            expect([...index.wisps()].map(({ id }) => id).sort()).toEqual(
              [...records.values()]
                .filter((one) => one.ephemeral === true)
                .map(({ id }) => id)
                .sort(),
            );
            for (const id of [...ids, "missing"]) {
              const edges = [...records.values()]
                .filter(({ status }) => status !== "tombstone")
                .flatMap((one) => one.dependencies ?? [])
                .filter((edge) => edge.depends_on_id === id);
              const key = ({ issue_id: from, type: kind }: DependencyEdge) => `${from} ${kind}`;
              expect(index.edgesTo(id).map(key).sort()).toEqual(edges.map(key).sort());
            }
            for (const status of ["open", "closed"])
              expect([...index.idsBy("status", status)].sort()).toEqual(
                [...records.values()]
                  .filter((one) => one.status === status)
                  .map(({ id }) => id)
                  .sort(),
              );
          }
        },
      ),
      { numRuns: fuzzRuns(700) },
    );
  });
});
