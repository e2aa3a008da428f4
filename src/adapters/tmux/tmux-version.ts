import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { AdapterError } from "../../errors/town-error.ts";

const run = promisify(execFile);
const LEAST = [3, 2] as const;

/** Throws AdapterError `TmuxMissing` or `TmuxTooOld` (least: 3.2) with what to do. */
export async function requireTmux(path: string | undefined): Promise<string> {
  const hint = "Install tmux 3.2 or newer, or use the `process` runtime.";
  const env = path === undefined ? {} : { PATH: path };
  const output = await run("tmux", ["-V"], { env, timeout: 10_000 }).catch((cause: unknown) => {
    throw new AdapterError("TmuxMissing", "Cannot use tmux: `tmux -V` could not be run", { hint, cause });
  });
  const version = output.stdout.trim().replace(/^tmux /, "");
  if (tmuxIsNewEnough(version)) return version;
  throw new AdapterError("TmuxTooOld", `Cannot use tmux ${version}: Town needs ${LEAST.join(".")} or newer`, { hint });
}

/** Development versions (`next-3.6`, `openbsd-7.5`, `master`) count as new. */
export function tmuxIsNewEnough(version: string): boolean {
  const match = /^(\d+)\.(\d+)/.exec(version);
  if (match === null) return true;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
}
