// npm run fuzz [TIMES] [PATH…]: the property tests alone, each tried TIMES (10) as often as usual, with new values.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const [times = "10", ...wanted] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(times)) {
  console.error(`npm run fuzz [TIMES] [PATH…]: TIMES is a whole number from 1, not ${times}`);
  process.exit(2);
}
const texts = new Map(
  readdirSync("test", { recursive: true })
    .map((name) => join("test", String(name)))
    .filter((path) => path.endsWith(".ts"))
    .map((path) => [path, readFileSync(path, "utf8")]),
);
const importing = (...names) => {
  const pattern = new RegExp(`from "[^"]*/(?:${names.join("|")})"`);
  return [...texts].filter(([, text]) => pattern.test(text)).map(([path]) => path);
};
const direct = importing("property.ts");
// Contracts hold properties too; the tests that run them name them.
const contracts = direct.filter((path) => !path.endsWith(".test.ts")).map((path) => basename(path));
const files = [...new Set([...direct, ...importing(...contracts)])]
  .filter((path) => path.endsWith(".test.ts"))
  .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)));
const { status } = spawnSync("npx", ["vitest", "run", "--config", "test/vitest.config.ts", ...files], {
  env: { ...process.env, FUZZ: times },
  stdio: "inherit",
});
process.exit(status ?? 1);
