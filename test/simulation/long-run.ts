import { spawnSync } from "node:child_process";

// `npm run simulate [-- FIRST COUNT]`: the towns under many seeds; a failing seed is printed and can be replayed with
// TOWN_SEED=n TOWN_SEEDS=1 npx vitest run --config test/vitest.config.ts --project unit test/simulation/town.test.ts
const [first = String(Math.floor(Math.random() * 1_000_000)), count = "300"] = process.argv.slice(2);
process.stdout.write(`seeds ${first} to ${Number(first) + Number(count) - 1}\n`);
const { status } = spawnSync(
  "node_modules/.bin/vitest",
  [
    "run",
    "--config",
    "test/vitest.config.ts",
    "--project",
    "unit",
    "test/simulation/town.test.ts",
    "test/simulation/propulsion.test.ts",
    "test/simulation/rig-removal.test.ts",
    "test/simulation/stores.test.ts",
  ],
  {
    stdio: "inherit",
    env: { ...process.env, TOWN_SEED: first, TOWN_SEEDS: count },
  },
);
process.exitCode = status ?? 1;
