import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ProcessSessions } from "../adapters/process-sessions/process-sessions.ts";
import { TmuxSessions } from "../adapters/tmux/tmux-sessions.ts";
import { AdapterError } from "../errors/town-error.ts";
import type { TownSpec } from "../kinds/town/town.schema.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Sessions } from "../ports/sessions.ts";
import type { LogPaths } from "./session-logs.ts";

/** The runtime the Town asks for. Auto: tmux where it can be used, else plain processes, which is logged. */
export async function openRuntime(
  spec: TownSpec,
  options: {
    readonly state: string;
    readonly label: string;
    readonly clock: Clock;
    readonly log: Log;
    readonly townCommand: readonly string[];
  },
): Promise<Sessions & LogPaths> {
  const { clock, log } = options;
  const stateDirectory = join(options.state, "sessions");
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  if (spec.runtime === "Process") return await ProcessSessions.open({ stateDirectory, clock, log });
  try {
    const extraConfig = spec.tmux?.extraConfig;
    return await TmuxSessions.open({
      label: options.label,
      stateDirectory,
      clock,
      log,
      townCommand: options.townCommand,
      ...(extraConfig === undefined ? {} : { extraConfig }),
    });
  } catch (error) {
    if (spec.runtime === "Tmux" || !(error instanceof AdapterError)) throw error;
    log.warn({ reason: error.reason }, "no usable tmux: sessions run as plain processes");
    return await ProcessSessions.open({ stateDirectory, clock, log });
  }
}
