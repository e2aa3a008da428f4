import { parseArgs } from "node:util";
import { hasTmux } from "../e2e/town-process.ts";
import { ChaosTown } from "./chaos-town.ts";
import { FAULTS } from "./faults.ts";
import { runChaos } from "./run-chaos.ts";

// `npm run chaos -- --kills 200`: the controller killed so often under load, with real sessions.
// `npm run chaos -- --agents 20 --beads 100 --faults 150 --only controller:3,session:4,…`: everything else as well.
// A run prints its seed; the same seed hurts the same way (the town's own timing is the machine's).
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    agents: { type: "string", default: "6" },
    crew: { type: "string", default: "6" },
    beads: { type: "string", default: "60" },
    kills: { type: "string" },
    faults: { type: "string", default: "120" },
    only: { type: "string", default: "controller:4,session:4,program:4,process:6,child:2,server:1,pause:1,silence:1" },
    gap: { type: "string" },
    minutes: { type: "string", default: "20" },
    runtime: { type: "string", default: "Tmux" },
    keep: { type: "boolean", default: false },
  },
});

function weightsOf(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    text.split(",").map((entry) => {
      const [name = "", weight = "1"] = entry.split(":");
      if (FAULTS[name] === undefined)
        throw new RangeError(`--only: no fault '${name}'; there are ${Object.keys(FAULTS).join(", ")}`);
      return [name, Number(weight)];
    }),
  );
}

const runtime = values.runtime === "Process" ? "Process" : "Tmux";
if (runtime === "Tmux" && !hasTmux()) throw new Error("tmux is not installed; try --runtime Process");
const seed = Number(values.seed);
const town = new ChaosTown({
  agents: Number(values.agents),
  crew: Number(values.crew),
  beads: Number(values.beads),
  runtime,
});
process.stdout.write(
  `chaos: seed ${seed}, ${values.agents} agents, ${values.crew} crew, ${values.beads} beads, in ${town.process.home}\n`,
);
let kept = values.keep;
try {
  const report = await runChaos(town, {
    seed,
    weights: values.kills === undefined ? weightsOf(values.only) : { controller: 1 },
    faults: Number(values.kills ?? values.faults),
    meanGapMs: Number(values.gap ?? 1_500),
    limitMs: Number(values.minutes) * 60_000,
    told: (text) => process.stdout.write(`${text}\n`),
  });
  const done = Object.entries(report.done).map(([name, count]) => `${name} ${count}`);
  process.stdout.write(
    `${(report.elapsedMs / 1000).toFixed(0)} s; ${done.join(", ")}; ${report.controllerStarts} controllers; ` +
      `${report.looks} looks at all processes; ${town.landed().length} of ${town.options.beads} beads landed\n`,
  );
  for (const wrong of report.wrong) process.stdout.write(`WRONG: ${wrong}\n`);
  process.stdout.write(
    report.wrong.length === 0
      ? `everything held (seed ${seed})\n`
      : `${report.wrong.length} things are wrong (seed ${seed})\n`,
  );
  if (report.wrong.length > 0) {
    kept = true;
    process.exitCode = 1;
  }
} finally {
  if (kept) {
    process.stdout.write(`the evidence stays in ${town.process.home} (controller.log, chaos.log, town/.git/town)\n`);
    await town.killController();
    town.tmux("kill-server");
  } else {
    await town.end();
  }
}
