import type { Metrics } from "../ports/metrics.ts";

/** How a run ended, as a label. */
export type RunResult = "Settled" | "Acted" | "Waiting" | "Conflict" | "Failed" | "Stalled" | "Void";

const RESULTS: readonly RunResult[] = ["Settled", "Acted", "Waiting", "Conflict", "Failed", "Stalled", "Void"];

/** Names and labels of the engine's metrics, after controller-runtime's. */
export class LoopMetrics {
  readonly #metrics: Metrics;
  readonly #labels: { readonly controller: string };
  #depth = -1;
  #busy = -1;
  #known = -1;

  /** Creates the counters at 0, so that a dashboard shows a loop that never ran. */
  constructor(metrics: Metrics, controller: string) {
    this.#metrics = metrics;
    this.#labels = { controller };
    for (const result of RESULTS) metrics.count("town_reconcile_total", { controller, result }, 0);
    metrics.count("town_reconcile_errors_total", this.#labels, 0);
    metrics.count("town_reconcile_actions_total", this.#labels, 0);
    metrics.count("town_reconcile_overdue_total", this.#labels, 0);
    this.load({ depth: 0, busy: 0, known: 0 });
  }

  ran(result: RunResult, durationMs: number, waitedMs: number): void {
    this.#metrics.count("town_reconcile_total", { ...this.#labels, result });
    if (result === "Failed" || result === "Stalled") this.#metrics.count("town_reconcile_errors_total", this.#labels);
    this.#metrics.observeSeconds("town_reconcile_duration_seconds", this.#labels, durationMs / 1000);
    this.#metrics.observeSeconds("town_queue_wait_seconds", this.#labels, waitedMs / 1000);
  }

  acted(): void {
    this.#metrics.count("town_reconcile_actions_total", this.#labels);
  }

  overdue(): void {
    this.#metrics.count("town_reconcile_overdue_total", this.#labels);
  }

  /** `known`: keys that are ready, delayed, being run, or have failures on record. */
  load({ depth, busy, known }: { readonly depth: number; readonly busy: number; readonly known: number }): void {
    if (depth !== this.#depth) this.#metrics.gauge("town_queue_depth", this.#labels, depth);
    if (busy !== this.#busy) this.#metrics.gauge("town_workers_busy", this.#labels, busy);
    if (known !== this.#known) this.#metrics.gauge("town_queue_keys", this.#labels, known);
    this.#depth = depth;
    this.#busy = busy;
    this.#known = known;
  }
}
