// `npm run bench [NAME…]`: every bench, or those named, one after the other. Each prints ratios to a floor of the same run.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const names = process.argv.slice(2);
const files = readdirSync("test/bench").filter(
  (file) => file.endsWith(".bench.ts") && (names.length === 0 || names.some((name) => file.startsWith(name))),
);
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
let failed = 0;
for (const file of files) {
  process.stdout.write(`\n== ${file}\n`);
  if (spawnSync("node_modules/.bin/tsx", [`test/bench/${file}`], { stdio: "inherit", env }).status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
