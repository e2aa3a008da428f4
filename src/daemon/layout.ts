import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TownLayout } from "../ports/loop-ports.ts";

/** Longest path a unix socket may have everywhere (macOS allows 104 bytes). */
const SOCKET_PATH_LIMIT = 100;

/**
 * Where a town keeps things. Worktrees of agents are below the town's root and not in the git directory: programs treat
 * files in a `.git` folder specially, and people want to look at them. `runtimeDirectory` is XDG_RUNTIME_DIR.
 */
export function townLayout(root: string, commonDirectory: string, runtimeDirectory: string | undefined): TownLayout {
  const state = join(commonDirectory, "town");
  const hash = townHash(commonDirectory);
  return {
    root,
    state,
    clone: (rig) => join(state, "rigs", `${rig}.git`),
    sandbox: (namespace, rolePlural, agent) => join(root, "rigs", namespace, rolePlural, agent),
    reserve: (rig) => join(root, "rigs", rig, ".reserve"),
    plugins: (rig) => join(root, "rigs", rig, ".plugins"),
    refinery: (rig) => join(root, "rigs", rig, "refinery"),
    gateLog: (rig, mergeRequest, gate) => join(state, "log", "gates", rig, `${mergeRequest}-${gate}.log`),
    sessionToken: (namespace, agent) => join(state, "tokens", "sessions", `${namespace}-${agent}`),
    socket: socketPath(hash, runtimeDirectory),
  };
}

/** Short name of a town on this machine: of its socket directory and tmux server. */
export function townHash(commonDirectory: string): string {
  return createHash("sha256").update(commonDirectory).digest("hex").slice(0, 12);
}

function socketPath(hash: string, runtimeDirectory: string | undefined): string {
  for (const base of [runtimeDirectory, tmpdir(), "/tmp"]) {
    const path = base === undefined || base === "" ? undefined : join(base, `town-${hash}`, "api.sock");
    if (path !== undefined && Buffer.byteLength(path) <= SOCKET_PATH_LIMIT) return path;
  }
  return join("/tmp", `town-${hash}`, "api.sock");
}
