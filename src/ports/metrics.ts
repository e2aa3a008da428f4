/** Counters and gauges by name; labels are declared at first use and kept small. */
export interface Metrics {
  count(name: string, labels: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, labels: Readonly<Record<string, string>>, value: number): void;
  observeSeconds(name: string, labels: Readonly<Record<string, string>>, seconds: number): void;
}

export const noMetrics: Metrics = { count() {}, gauge() {}, observeSeconds() {} };
