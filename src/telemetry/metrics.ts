import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Metrics } from "../ports/metrics.ts";

export interface PrometheusMetrics extends Metrics {
  /** The text that a Prometheus server reads, and its content type. */
  exposition(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** A gauge whose values, by the value of its one label, are read when somebody asks. A value that is gone is not shown. */
  gaugeOf(name: string, label: string, read: () => Iterable<readonly [string, number]>): void;
}

type Labels = Readonly<Record<string, string>>;

/** From a no-op reconcile to a long gate run. */
const BUCKETS_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600];

/** Help lines; a name that is missing here is explained by itself. */
const HELP: Readonly<Record<string, string>> = {
  town_reconcile_total: "Runs of a loop by how they ended.",
  town_reconcile_errors_total: "Runs of a loop that failed, terminally or not.",
  town_reconcile_actions_total: "Actions that a loop executed.",
  town_reconcile_overdue_total: "Runs that took longer than allowed and were called off.",
  town_reconcile_duration_seconds: "How long runs of a loop took.",
  town_queue_wait_seconds: "How long keys were ready before a worker took them.",
  town_queue_depth: "Keys that are ready to be run.",
  town_queue_keys: "Keys that a loop remembers: ready, delayed, being run, or with failures on record.",
  town_workers_busy: "Keys that are being run.",
  town_store_objects: "Objects in memory.",
  town_graph_records: "Records of a work graph.",
  town_metrics_refused_total: "Samples that were dropped because their labels do not fit the metric's first use.",
};

/**
 * Metrics for Prometheus, in a registry of their own. A name takes its kind and labels from its first use; a sample that
 * does not fit is dropped and counted, since a metric must never break what it measures.
 */
export function createMetrics(): PrometheusMetrics {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const facts = (name: string, labels: Labels) => ({
    name,
    help: HELP[name] ?? name.replaceAll("_", " "),
    labelNames: Object.keys(labels),
    registers: [registry],
  });
  const refused = new Counter(facts("town_metrics_refused_total", {}));
  addProcessGauges(registry);
  const guarded = (record: () => void): void => {
    try {
      record();
    } catch {
      refused.inc();
    }
  };
  return {
    count: (name, labels, by = 1) =>
      guarded(() => known(counters, name, () => new Counter(facts(name, labels))).inc(labels, by)),
    gauge: (name, labels, value) =>
      guarded(() => known(gauges, name, () => new Gauge(facts(name, labels))).set(labels, value)),
    observeSeconds: (name, labels, seconds) =>
      guarded(() =>
        known(histograms, name, () => new Histogram({ ...facts(name, labels), buckets: BUCKETS_SECONDS })).observe(
          labels,
          seconds,
        ),
      ),
    gaugeOf: (name, label, read) => {
      new Gauge({
        ...facts(name, { [label]: "" }),
        collect() {
          this.reset();
          for (const [value, count] of read()) this.set({ [label]: value }, count);
        },
      });
    },
    exposition: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function known<T>(metrics: Map<string, T>, name: string, make: () => T): T {
  let metric = metrics.get(name);
  if (metric === undefined) {
    metric = make();
    metrics.set(name, metric);
  }
  return metric;
}

/** Read when asked for: prom-client's default metrics keep a timer running (event loop delay) even while nobody asks. */
function addProcessGauges(registry: Registry): void {
  const startSeconds = Date.now() / 1000 - process.uptime();
  const read = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  read("process_resident_memory_bytes", "Resident memory of the controller.", () => process.memoryUsage.rss());
  read("nodejs_heap_used_bytes", "JavaScript heap in use.", () => process.memoryUsage().heapUsed);
  read("nodejs_external_memory_bytes", "Memory of buffers, beside the heap.", () => process.memoryUsage().external);
  read("process_start_time_seconds", "Start of the controller, seconds since the epoch.", () => startSeconds);
  const cpu = new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of the controller.",
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1_000_000);
    },
  });
  registry.registerMetric(cpu);
}
