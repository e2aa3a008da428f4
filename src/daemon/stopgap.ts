import type { Log } from "../ports/log.ts";
export function createLog(_o: unknown): Log {
  const w = (level: string, f: Readonly<Record<string, unknown>>, m: string) => process.stdout.write(`${JSON.stringify({ time: Date.now(), level, msg: m, ...f, err: f["err"] instanceof Error ? f["err"].stack : f["err"] })}\n`);
  const l: Log = { debug() {}, info: (f, m) => void w("info", f, m), warn: (f, m) => void w("warn", f, m), error: (f, m) => void w("error", f, m), child: (c) => ({ ...l, info: (f, m) => void w("info", { ...c, ...f }, m), warn: (f, m) => void w("warn", { ...c, ...f }, m), error: (f, m) => void w("error", { ...c, ...f }, m), child: () => l }) };
  return l;
}
export async function acquireLeaderLock(_o: unknown): Promise<{ release(): Promise<void> }> {
  return { release: () => Promise.resolve() };
}
