import type { SessionStart } from "../../src/ports/sessions.ts";

/** Name of the session that tests start where its name does not matter. */
export const TOAST = "api-polecats-toast";

/** How toast, a polecat of api, is started first: with a program that does nothing for ten minutes. */
export function toastStart(over: Partial<SessionStart> = {}): SessionStart {
  return {
    name: TOAST,
    namespace: "api",
    agent: "toast",
    role: "polecat",
    generation: 1,
    cwd: "/tmp",
    argv: ["sleep", "600"],
    env: {},
    ...over,
  };
}

/** That with a script. */
export function toastShell(script: string, over: Partial<SessionStart> = {}): SessionStart {
  return toastStart({ argv: ["sh", "-c", script], ...over });
}
