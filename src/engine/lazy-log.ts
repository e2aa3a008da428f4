import type { Log } from "../ports/log.ts";

/** A log that is made at the first line: most runs change nothing and say nothing. */
export function lazyLog(parent: Log, make: () => Log): Log {
  let made: Log | undefined;
  const log = (): Log => {
    made ??= make();
    return made;
  };
  const writesDebug = parent.writesDebug ?? true;
  return {
    writesDebug,
    debug: (fields, message) => {
      if (writesDebug) log().debug(fields, message);
    },
    info: (fields, message) => log().info(fields, message),
    warn: (fields, message) => log().warn(fields, message),
    error: (fields, message) => log().error(fields, message),
    child: (fields) => log().child(fields),
  };
}
