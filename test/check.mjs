// Everything that must hold before a change lands, cheapest first. Ends with the test runner's closing line.
import { spawnSync } from "node:child_process";

const steps = [
  ["types", "tsc", "-p", "."],
  ["format", "biome", "format", "--config-path=.biome.json", "src", "test"],
  ["lint", "oxlint", "-c", ".oxlintrc.json", "--type-aware", "--deny-warnings", "src", "test"],
  ["boundaries", process.execPath, "test/boundaries.mjs"],
  ["dead code", "knip", "--no-progress"],
  ["generated files", "tsx", "src/generate.ts", "--check"],
  ["build", process.execPath, "src/build.mjs"],
  ["tests", "vitest", "run", "--config", "test/vitest.config.ts"],
];

const only = process.argv.slice(2);
for (const [name, command, ...args] of steps) {
  if (only.length > 0 && !only.includes(name)) continue;
  const started = Date.now();
  process.stdout.write(`\n== ${name}\n`);
  const local = command === process.execPath ? command : `node_modules/.bin/${command}`;
  const result = spawnSync(local, args, { stdio: "inherit", env: { ...process.env, NO_UPDATE_NOTIFIER: "1" } });
  if (result.status !== 0) {
    process.stdout.write(`== ${name} failed\n`);
    process.exit(result.status ?? 1);
  }
  if (name !== "tests") process.stdout.write(`== ${name}: ok (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
}
