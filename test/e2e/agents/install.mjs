// Installs real agent programs, of the versions in versions.json, for the tests beside this file:
// `node test/e2e/agents/install.mjs claude codex` (default: all). They are put in a cache outside of the project,
// TOWN_AGENTS_CACHE or ~/.cache/town/agents, each in a directory of its own.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const versions = JSON.parse(readFileSync(new URL("versions.json", import.meta.url), "utf8"));
const cache = process.env["TOWN_AGENTS_CACHE"] ?? join(homedir(), ".cache", "town", "agents");
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(versions);

for (const name of names) {
  const wanted = versions[name];
  if (wanted === undefined) {
    console.error(`unknown program ${name}; known: ${Object.keys(versions).join(", ")}`);
    process.exit(2);
  }
  const directory = join(cache, `${name}-${wanted.version}`);
  if (existsSync(join(directory, "node_modules", ".bin", name))) {
    console.log(`${name} ${wanted.version} is in ${directory}`);
    continue;
  }
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), `${JSON.stringify({ name: `town-agents-${name}`, private: true })}\n`);
  const { status } = spawnSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--save-exact", `${wanted.package}@${wanted.version}`],
    { cwd: directory, stdio: "inherit" },
  );
  if (status !== 0) process.exit(status ?? 1);
  console.log(`${name} ${wanted.version} installed in ${directory}`);
}
