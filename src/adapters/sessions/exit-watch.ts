import { watch } from "node:fs";
import type { Log } from "../../ports/log.ts";

/**
 * Calls `changed` soon after a shim left an exit code (edge only, 1-3 ms; may be lost, callers also look). Where the
 * system cannot watch (no inotify instances left), it says so once and nothing is called.
 */
export function watchExits(directory: string, changed: () => void, log: Log): () => void {
  try {
    const watcher = watch(directory, () => changed());
    watcher.on("error", (err) => {
      log.warn({ err, directory }, "cannot watch for session exits, polling finds them");
      watcher.close();
    });
    return () => watcher.close();
  } catch (err) {
    log.warn({ err, directory }, "cannot watch for session exits, polling finds them");
    return () => {};
  }
}
