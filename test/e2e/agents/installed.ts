import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const PROGRAMS = ["claude", "codex", "gemini", "opencode"] as const;
export type AgentProgram = (typeof PROGRAMS)[number];

/** Directory with the `package.json` and the lock file that pin a program. */
export function pinsOf(name: AgentProgram): string {
  return fileURLToPath(new URL(`programs/${name}`, import.meta.url));
}

/** Outside of the project: what is installed there is never part of it. */
export function programCache(): string {
  return process.env["TOWN_AGENTS_CACHE"] ?? join(homedir(), ".cache", "town", "agents");
}

/** Where a program of just these pins is, or would be, installed. */
export function placeOf(name: AgentProgram): { readonly version: string; readonly directory: string } {
  const pins = pinsOf(name);
  const { dependencies } = JSON.parse(readFileSync(join(pins, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const [version = ""] = Object.values(dependencies);
  const digest = createHash("sha256")
    .update(readFileSync(join(pins, "package-lock.json")))
    .digest("hex");
  return { version, directory: join(programCache(), `${name}-${version}-${digest.slice(0, 8)}`) };
}

/** Directory with an installed program, or why its tests are skipped. Throws where it is installed and cannot be run. */
export function installed(name: AgentProgram): { readonly bin: string } | { readonly missing: string } {
  const { version, directory } = placeOf(name);
  if (!existsSync(directory))
    return { missing: `${name} ${version} is not installed: npx tsx test/e2e/agents/install.ts ${name}` };
  const bin = join(directory, "node_modules", ".bin");
  if (!existsSync(join(bin, name))) throw new Error(`${directory} has no program ${name}; remove it and install anew`);
  return { bin };
}
