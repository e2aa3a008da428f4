import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export type AgentProgram = "claude" | "codex" | "gemini" | "opencode";

interface Wanted {
  readonly package: string;
  readonly version: string;
}

/** Directory with an installed program, or why its tests are skipped. */
export function installed(name: AgentProgram): { readonly bin: string } | { readonly missing: string } {
  const versions = JSON.parse(readFileSync(new URL("versions.json", import.meta.url), "utf8")) as Record<
    AgentProgram,
    Wanted
  >;
  const { version } = versions[name];
  const cache = process.env["TOWN_AGENTS_CACHE"] ?? join(homedir(), ".cache", "town", "agents");
  const bin = join(cache, `${name}-${version}`, "node_modules", ".bin");
  if (existsSync(join(bin, name))) return { bin };
  return { missing: `${name} ${version} is not installed: node test/e2e/agents/install.mjs ${name}` };
}
