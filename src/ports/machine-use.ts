/** What something takes of a machine. */
export interface Use {
  /** Thousandths of a processor, on the average over the window. */
  readonly cpuMilli: number;
  /** Bytes of memory in use. */
  readonly memoryBytes: number;
}

/** One look at a machine. */
export interface MachineReading {
  /** Wall clock at the end of the window, ms since the epoch. */
  readonly atMs: number;
  readonly windowMs: number;
  /** All of the machine. */
  readonly machine: Use;
  /** What the machine has. */
  readonly processors: number;
  readonly totalMemoryBytes: number;
  /** A process with all that belongs to its group, its process session, and its descendants; undefined when it is gone. */
  treeOf(pid: number): Use | undefined;
}

/** What processes take of this machine, read when it is asked for. */
export interface MachineUse {
  readonly processors: number;
  readonly totalMemoryBytes: number;
  /**
   * A reading that is at most a few seconds old; callers that ask together share one. The first takes a quarter of a
   * second, for a rate needs two looks. Throws AdapterError `ProcessListUnreadable`.
   */
  read(): Promise<MachineReading>;
}
