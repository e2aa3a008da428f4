import type { Ports } from "../ports/ports.ts";

/** What the engine itself needs; loops get the whole ports they were written for. */
export type EnginePorts = Pick<Ports, "clock" | "random" | "objects" | "events" | "log" | "metrics">;
