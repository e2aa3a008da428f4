// The import rules of .dependency-cruiser.cjs, checked; and a check of the check: it must see (nearly) all modules and
// must notice a planted violation. dependency-cruiser exits 0 on "0 modules", which would hide everything.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cruise } from "dependency-cruiser";
import extractConfig from "dependency-cruiser/config-utl/extract-depcruise-config";
import extractTsConfig from "dependency-cruiser/config-utl/extract-ts-config";

const config = await extractConfig("./.dependency-cruiser.cjs");
const tsConfig = extractTsConfig("./tsconfig.json");
const ruleSet = { forbidden: config.forbidden };

async function look(paths) {
  const { output } = await cruise(paths, { ...config.options, ruleSet, validate: true }, undefined, { tsConfig });
  return output.summary.totalCruised === undefined
    ? { modules: 0, violations: [] }
    : { modules: output.summary.totalCruised, violations: output.summary.violations };
}

const planted = mkdtempSync(join("src", "errors", "planted-"));
let seen;
try {
  writeFileSync(
    join(planted, "violation.ts"),
    `import { kindRegistry } from "../../resource/kind-registry.ts";\nexport const planted = kindRegistry;\n`,
  );
  seen = await look([planted]);
} finally {
  rmSync(planted, { recursive: true });
}
if (!seen.violations.some((violation) => violation.rule.name === "room-errors")) {
  console.error("the boundary check did not notice a planted violation of room-errors");
  process.exit(1);
}

const files = readdirSync("src", { recursive: true }).filter((name) => String(name).endsWith(".ts")).length;
const { modules, violations } = await look(["src"]);
for (const { rule, from, to } of violations) console.error(`${rule.severity} ${rule.name}: ${from} → ${to}`);
if (modules < files) {
  console.error(`the boundary check saw ${modules} modules, but there are ${files} files`);
  process.exit(1);
}
if (violations.some((violation) => violation.rule.severity === "error")) process.exit(1);
console.log(`${modules} modules, no violation; a planted one is noticed`);
