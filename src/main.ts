import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "./adapters/system-clock.ts";
import { startDaemon } from "./daemon/daemon.ts";
import { messageOf, TownError } from "./errors/town-error.ts";
import { createLog } from "./telemetry/log.ts";

const { values } = parseArgs({
  options: { town: { type: "string" }, loops: { type: "string" }, "log-level": { type: "string", default: "info" } },
});
const { version } = JSON.parse(readFileSync(fileURLToPath(new URL("../package.json", import.meta.url)), "utf8")) as {
  version: string;
};
const log = createLog({ clock: systemClock, level: values["log-level"] === "debug" ? "debug" : "info" });

process.on("unhandledRejection", (error) => log.error({ err: error }, "unhandled rejection"));

try {
  const daemon = await startDaemon({
    directory: values.town ?? process.cwd(),
    loops: values.loops?.split(",").filter((name) => name !== ""),
    log,
    env: process.env,
    version,
  });
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(130);
    stopping = true;
    log.info({ signal }, "the town goes down");
    daemon.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
} catch (error) {
  const hint = error instanceof TownError && error.hint !== undefined ? ` (${error.hint})` : "";
  log.error({ err: error }, "the town cannot start");
  process.stderr.write(`Error: ${messageOf(error)}${hint}\n`);
  process.exit(1);
}
