import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KINDS } from "./kinds/index.ts";
import { stringify } from "./manifests/yaml-text.ts";
import { customResourceDefinition } from "./resource/crd.ts";

// Writes crds/*.yaml from the kinds; with --check it only compares, and exits 1 when they differ.
const directory = fileURLToPath(new URL("../crds", import.meta.url));
const wanted = new Map(
  KINDS.filter((kind) => kind.truth === "Desired").map((kind) => [
    `${kind.plural}.yaml`,
    `# Generated from src/kinds by \`npm run generate\`; do not edit.\n${stringify(customResourceDefinition(kind))}`,
  ]),
);
mkdirSync(directory, { recursive: true });
const held = readdirSync(directory).filter((name) => name.endsWith(".yaml"));
const differing = [
  ...[...wanted]
    .filter(([name, text]) => !held.includes(name) || readFileSync(join(directory, name), "utf8") !== text)
    .map(([name]) => name),
  ...held.filter((name) => !wanted.has(name)),
];
if (process.argv.includes("--check")) {
  if (differing.length > 0) {
    process.stderr.write(`crds/ differs from the kinds: ${differing.join(", ")}; run \`npm run generate\`\n`);
    process.exitCode = 1;
  }
} else {
  for (const name of held.filter((each) => !wanted.has(each))) rmSync(join(directory, name));
  for (const [name, text] of wanted) writeFileSync(join(directory, name), text);
  process.stdout.write(`${wanted.size} files in crds/, ${differing.length} changed\n`);
}
