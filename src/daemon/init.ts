import { TownError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import type { Git, GitIdentity } from "../ports/git.ts";

export interface InitOptions {
  /** Absolute path of the town to make. */
  readonly directory: string;
  /** Repository of the first rig, path or URL; undefined: a small sample project is made inside the town. */
  readonly rig: string | undefined;
  /** Name of the first rig. Default: last part of its path. */
  readonly name: string | undefined;
  /** Gate command. Default: found from the project's files. */
  readonly gate: string | undefined;
  /** Directory of the manifests that come with the program. */
  readonly templates: string;
  readonly human: GitIdentity;
}

export interface InitResult {
  readonly directory: string;
  readonly rig: string;
  readonly gate: string;
  readonly files: readonly string[];
}

const SAMPLE_FILES: Readonly<Record<string, string>> = {
  "README.md": "# Sample\n\nA small project to try Town on. `sh test.sh` is its test.\n",
  "test.sh":
    '#!/bin/sh\n# Fails when a text file ends without a newline.\nstatus=0\nfor file in *.txt *.md; do\n  [ -e "$file" ] || continue\n  [ -z "$(tail -c 1 "$file")" ] || { echo "$file: no newline at the end"; status=1; }\ndone\nexit $status\n',
};

/** Ways to test a project, by a file that shows them; the first that exists is taken. */
const TEST_COMMANDS: readonly (readonly [file: string, command: string])[] = [
  ["package.json", "npm test"],
  ["Cargo.toml", "cargo test"],
  ["go.mod", "go test ./..."],
  ["pyproject.toml", "python -m pytest"],
  ["Makefile", "make test"],
];

/**
 * Makes a town: a git repository with commented manifests and a first commit. Nothing is written into the rig's own
 * repository. Throws `NotEmpty` when the directory holds something, `AlreadyATown` when it is one.
 */
export async function initTown(options: InitOptions, files: Files, git: Git): Promise<InitResult> {
  const { directory } = options;
  const held = await files.list(directory);
  if (held.includes("manifests"))
    throw new TownError("AlreadyATown", `${directory} has manifests already`, {
      hint: `start it: town -C ${directory} up -d`,
    });
  if (held.some((name) => name !== ".git"))
    throw new TownError("NotEmpty", `${directory} is not empty (${held.slice(0, 3).join(", ")} …)`, {
      hint: "name a new directory: town init DIR",
    });
  await files.makeDirectory(directory);
  const rigPath = options.rig ?? "./sample";
  const rig = rigName(options.name ?? lastPart(options.rig ?? "sample"));
  if (options.rig === undefined) await makeSample(`${directory}/sample`, options.human, files, git);
  const gate = options.gate ?? (options.rig === undefined ? "sh test.sh" : await testCommand(options.rig, files));
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\/|^[^/]+@[^/]+:/.test(rigPath);
  const values: Record<string, string> = {
    OWNER: options.human.email,
    RIG: rig,
    RIG_PATH: isUrl ? rigPath : quoted(rigPath),
    PREFIX:
      rig
        .replace(/[^a-z0-9]/g, "")
        .replace(/^[0-9]+/, "")
        .slice(0, 12) || "rig",
    GATE: quoted(gate),
  };
  const repository =
    (await git.open(directory))?.path === directory
      ? await git.open(directory)
      : await git.init(directory, { bare: false, branch: "main" });
  if (repository === undefined) throw new TownError("InitFailed", `cannot make a git repository at ${directory}`);
  const written: string[] = [];
  for (const template of await filesBelow(`${options.templates}/sample`, "", files)) {
    const text = (await files.readText(`${options.templates}/sample/${template}`)) ?? "";
    const path = `manifests/${template.replace(/^sample\//, `${rig}/`).replace("rigs/sample.yaml", `rigs/${rig}.yaml`)}`;
    const filled = text.replace(/\$\{([A-Z_]+)\}/g, (whole, name: string) => values[name] ?? whole);
    await writeFile(
      `${directory}/${path}`,
      isUrl
        ? filled.replace(
            "  # A repository on this machine (relative to the town, or absolute). Use `url:` for one elsewhere.\n  path: ",
            "  # Cloned from here; nothing is pushed back unless spec.push says so.\n  url: ",
          )
        : filled,
      files,
    );
    written.push(path);
  }
  await writeFile(
    `${directory}/.gitignore`,
    "# Worktrees of agents, host facts, and the sample project: not part of the desired state.\n/rigs/\n/sample/\n/town.local.yaml\n",
    files,
  );
  await repository.setConfig("town.branch", (await repository.headBranch())?.replace("refs/heads/", "") ?? "main");
  await repository.commitAll(directory, "town: first manifests\n", options.human, options.human);
  return { directory, rig, gate, files: written };
}

async function makeSample(path: string, human: GitIdentity, files: Files, git: Git): Promise<void> {
  await files.makeDirectory(path);
  const repository = await git.init(path, { bare: false, branch: "main" });
  for (const [name, text] of Object.entries(SAMPLE_FILES)) await files.writeAtomic(`${path}/${name}`, text);
  await repository.commitAll(path, "Begin a sample project\n", human, human);
}

async function writeFile(path: string, text: string, files: Files): Promise<void> {
  await files.makeDirectory(path.slice(0, path.lastIndexOf("/")));
  await files.writeAtomic(path, text);
}

async function filesBelow(root: string, directory: string, files: Files): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await files.list(directory === "" ? root : `${root}/${directory}`)) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const kind = (await files.stat(`${root}/${path}`))?.kind;
    if (kind === "Directory") found.push(...(await filesBelow(root, path, files)));
    else if (kind === "File") found.push(path);
  }
  return found;
}

async function testCommand(rig: string, files: Files): Promise<string> {
  for (const [file, command] of TEST_COMMANDS) if ((await files.stat(`${rig}/${file}`)) !== undefined) return command;
  return "true";
}

function lastPart(path: string): string {
  return (path.replace(/\/+$/, "").split(/[/:]/).at(-1) ?? "rig").replace(/\.git$/, "");
}

/** A rig's name is a namespace: lower-case letters, digits and dashes. */
function rigName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);
  if (name === "" || name === "hq" || name === "default" || name === "overseer" || name.startsWith("kube-"))
    return `rig-${name}`.replace(/-$/, "");
  return name;
}

/** A YAML scalar that stays text whatever is in it. */
function quoted(text: string): string {
  if (/^(?:true|false|null|yes|no|on|off|~|[-+]?[0-9][0-9._e+-]*)$/i.test(text)) return JSON.stringify(text);
  return /^[A-Za-z0-9./_ -]+$/.test(text) && !/^[\s-]|\s$/.test(text) ? text : JSON.stringify(text);
}
