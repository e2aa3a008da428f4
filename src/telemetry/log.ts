import { writeSync } from "node:fs";
import { type DestinationStream, type Logger, pino, stdSerializers } from "pino";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { RotatingFile, type RotatingFileOptions } from "./rotating-file.ts";
import { scrub } from "./scrub.ts";

export interface LogOptions {
  readonly clock: Clock;
  /** Default `info`. */
  readonly level?: "debug" | "info" | "warn" | "error";
  /** Where lines go. Default: standard output. */
  readonly to?: RotatingFileOptions | { readonly write: (line: string) => void };
}

/** Fields whose value is never written, at the top and one level down. */
const SECRET_FIELDS = ["token", "secret", "password", "authorization", "apiKey", "credentials"] as const;
const REDACTED = [
  ...SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
  "env.*",
  "*.env.*",
  "headers.authorization",
  "*.headers.authorization",
  "headers.cookie",
];

/**
 * The daemon's log: one JSON object a line, `time` (RFC 3339, from the clock), `level`, `msg`, then the fields. An error
 * under `err` is written with its stack and chain of causes. Secrets are left out by name of field and by look of text.
 */
export function createLog(options: LogOptions): Log {
  return asLog(
    pino(
      {
        level: options.level ?? "info",
        base: null,
        timestamp: () => `,"time":"${new Date(options.clock.now()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { err: (error: unknown) => (error instanceof Error ? stdSerializers.errWithCause(error) : error) },
        redact: { paths: REDACTED, censor: "[redacted]" },
      },
      destination(options.to),
    ),
  );
}

function asLog(logger: Logger): Log {
  return {
    writesDebug: logger.isLevelEnabled("debug"),
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => asLog(logger.child(fields)),
  };
}

function destination(to: LogOptions["to"]): DestinationStream {
  const sink = to === undefined ? standardOutput : "path" in to ? new RotatingFile(to) : to;
  return { write: (line) => sink.write(scrub(line)) };
}

const standardOutput = {
  write(line: string): void {
    try {
      writeSync(1, line);
    } catch {
      // A reader that went away (EPIPE) or cannot keep up (EAGAIN) must not end the daemon.
    }
  },
};
