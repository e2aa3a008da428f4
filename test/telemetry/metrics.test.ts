import { describe, expect, test } from "vitest";
import { createMetrics } from "../../src/telemetry/metrics.ts";

describe("createMetrics", () => {
  test("given counters, gauges and times, when exposed, then Prometheus text has their values, labels and help", async () => {
    const metrics = createMetrics();
    metrics.count("town_reconcile_total", { controller: "rigs", result: "Settled" }, 0);
    metrics.count("town_reconcile_total", { controller: "rigs", result: "Failed" });
    metrics.count("town_reconcile_total", { controller: "rigs", result: "Failed" }, 2);
    metrics.gauge("town_queue_depth", { controller: "rigs" }, 7);
    metrics.gauge("town_queue_depth", { controller: "rigs" }, 3);
    metrics.observeSeconds("town_reconcile_duration_seconds", { controller: "rigs" }, 0.2);
    const { contentType, text } = await metrics.exposition();
    expect(contentType).toContain("text/plain");
    expect(text).toContain("# HELP town_reconcile_total Runs of a loop by how they ended.");
    expect(text).toContain('town_reconcile_total{controller="rigs",result="Settled"} 0');
    expect(text).toContain('town_reconcile_total{controller="rigs",result="Failed"} 3');
    expect(text).toContain('town_queue_depth{controller="rigs"} 3');
    expect(text).toContain('town_reconcile_duration_seconds_bucket{le="0.5",controller="rigs"} 1');
    expect(text).toContain('town_reconcile_duration_seconds_count{controller="rigs"} 1');
  });

  test("given sizes that are read when asked for, when something is gone, then it is not shown any more", async () => {
    const metrics = createMetrics();
    const sizes = new Map([
      ["api", 3],
      ["web", 5],
    ]);
    metrics.gaugeOf("town_graph_records", "namespace", () => sizes);
    expect((await metrics.exposition()).text).toContain('town_graph_records{namespace="web"} 5');
    sizes.delete("web");
    sizes.set("api", 4);
    const { text } = await metrics.exposition();
    expect(text).toContain("# HELP town_graph_records Records of a work graph.");
    expect(text).toContain('town_graph_records{namespace="api"} 4');
    expect(text).not.toContain("web");
  });

  test("given a sample that does not fit, when recorded, then nothing throws, it is counted as refused, and the rest stands", async () => {
    const metrics = createMetrics();
    metrics.count("town_x_total", { a: "1" });
    metrics.count("town_x_total", { b: "1" });
    metrics.count("town_x_total", { a: "1" }, -1);
    metrics.gauge("town_x_total", { a: "1" }, 5);
    metrics.count("not a name", {});
    const { text } = await metrics.exposition();
    expect(text).toContain('town_x_total{a="1"} 1');
    expect(text).toContain("town_metrics_refused_total 4");
  });

  test("given two registries, when both are used, then they do not share values", async () => {
    const [one, two] = [createMetrics(), createMetrics()];
    one.count("town_y_total", {});
    two.count("town_y_total", {}, 5);
    expect((await one.exposition()).text).toContain("town_y_total 1");
    expect((await two.exposition()).text).toContain("town_y_total 5");
  });

  test("given the process, when exposed twice, then its CPU time and memory are current", async () => {
    const metrics = createMetrics();
    const cpu = async (): Promise<number> =>
      Number(/^process_cpu_seconds_total (\S+)$/m.exec((await metrics.exposition()).text)?.[1]);
    const first = await cpu();
    const { user, system } = process.cpuUsage();
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThanOrEqual((user + system) / 1_000_000);
    expect(await cpu()).toBeGreaterThanOrEqual(first);
    expect((await metrics.exposition()).text).toMatch(/process_resident_memory_bytes \d{7,}/);
  });
});
