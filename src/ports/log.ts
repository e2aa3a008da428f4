/** Structured log of the daemon. Messages are constant and lower-case; facts are fields. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
  child(fields: Readonly<Record<string, unknown>>): Log;
  /** False: debug lines go nowhere, so that what is said often need not be made. Absent: they may be read. */
  readonly writesDebug?: boolean;
}

export const silentLog: Log = {
  writesDebug: false,
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
