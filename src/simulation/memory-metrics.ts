import type { Metrics } from "../ports/metrics.ts";

/** The in-memory twin of Metrics: the last value of each gauge, by name and labels. */
export class MemoryMetrics implements Metrics {
  readonly gauges = new Map<string, number>();

  count(): void {
    // Nobody asks how often.
  }

  gauge(name: string, labels: Readonly<Record<string, string>>, value: number): void {
    this.gauges.set([name, ...Object.values(labels)].join(" "), value);
  }

  observeSeconds(): void {
    // Nobody asks how long.
  }
}
