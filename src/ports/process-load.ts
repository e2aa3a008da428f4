/** What programs make the processor do. */
export interface ProcessLoad {
  /**
   * Those of these processes below whose programs something works now: each pid is a session's first process, its children
   * are programs, and what those have started (builds, tests, scripts) counts. Takes about a second; callers at one time
   * share one look at the machine. Where the machine cannot be read: none.
   */
  busyBelow(pids: readonly number[]): Promise<ReadonlySet<number>>;
}
