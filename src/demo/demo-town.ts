import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { simpleGit, type SimpleGit } from "simple-git";
import { DEMO_BEADS, type DemoBead } from "./beads.ts";

/** The library's own tests, apart from those that need packages it does not ship with. */
export const GATE = "node --test test/*.test.js";
const NEEDS_MORE = ["integration.test.js", "actual-redact-comparison.test.js"];

export interface DemoTown {
  readonly directory: string;
  /** The town repository. */
  readonly town: string;
  /** The library's checkout: the rig. */
  readonly library: string;
  readonly version: string;
}

/** Environment of every program of the demo: git must not depend on the user's settings. */
export function demoEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return {
    ...env,
    GIT_AUTHOR_NAME: "Demo",
    GIT_AUTHOR_EMAIL: "demo@town.invalid",
    GIT_COMMITTER_NAME: "Demo",
    GIT_COMMITTER_EMAIL: "demo@town.invalid",
  };
}

/** Git in a directory of the demo, as the demo's own person whatever the user's settings are. */
export function gitIn(directory: string): SimpleGit {
  return simpleGit(directory, { config: ["user.name=Demo", "user.email=demo@town.invalid", "commit.gpgSign=false"] });
}

/** A throw-away directory with a checkout of a real library, and a town beside it whose convoy improves it. */
export async function makeDemoTown(
  townCommand: readonly string[],
  options: { readonly runtime: "Auto" | "Tmux" | "Process" },
): Promise<DemoTown> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "town-demo-")));
  const library = join(directory, "redact");
  const packageFile = createRequire(import.meta.url).resolve("@pinojs/redact/package.json");
  const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };
  cpSync(dirname(packageFile), library, { recursive: true });
  for (const name of NEEDS_MORE) rmSync(join(library, "test", name), { force: true });
  await gitIn(directory).init(["--quiet", "--initial-branch=main", library]);
  await gitIn(library).add("--all").commit(`@pinojs/redact ${version}`);
  const town = join(directory, "town");
  const [program, ...args] = townCommand;
  await execa(program ?? "town", [...args, "init", town, "--rig", library, "--name", "redact", "--gate", GATE], {
    env: demoEnvironment(),
    stdin: "ignore",
  });
  const townFile = join(town, "manifests", "towns", "hq.yaml");
  writeFileSync(townFile, readFileSync(townFile, "utf8").replace("spec:\n", `spec:\n  runtime: ${options.runtime}\n`));
  rmSync(join(town, "manifests", "hq", "convoys", "first.yaml"));
  await gitIn(town).add("--all").commit("town: settings of the demo");
  return { directory, town, library, version };
}

/** Commits the convoy: from here on everything happens by itself. */
export async function commitConvoy(demo: DemoTown): Promise<void> {
  const folder = join(demo.town, "manifests", "hq", "convoys");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "improve.yaml"), convoyYaml(DEMO_BEADS));
  await gitIn(demo.town).add("--all").commit("convoy: improve the library");
}

function convoyYaml(beads: readonly DemoBead[]): string {
  const lines = [
    "apiVersion: town.dev/v1alpha1",
    "kind: Convoy",
    "metadata:",
    "  name: improve",
    "  namespace: hq",
    "spec:",
    "  owner: demo@town.invalid",
    "  items:",
  ];
  for (const bead of beads) {
    lines.push(`    - name: ${bead.name}`, "      rig: redact", `      title: ${JSON.stringify(bead.title)}`);
    if (bead.dependsOn !== undefined) lines.push(`      dependsOn: [${bead.dependsOn.join(", ")}]`);
    lines.push("      description: |");
    for (const line of [bead.text, "", "```sh", ...bead.script.split("\n"), "```"])
      lines.push(line === "" ? "" : `        ${line}`);
  }
  return `${lines.join("\n")}\n`;
}
