import { TownError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import type { Git, GitIdentity, Repository } from "../ports/git.ts";
import { rigPrefix } from "../work/rig-target.ts";

export interface InitOptions {
  /** Absolute path of the town to make. */
  readonly directory: string;
  /** Repository of the first rig, path or URL; undefined: a small sample project is made inside the town. */
  readonly rig: string | undefined;
  /** Name of the first rig. Default: last part of its path. */
  readonly name: string | undefined;
  /** Gate command; undefined: the manifest shows how to state one. */
  readonly gate: string | undefined;
  /** Provider of the first workers; its manifest is put beside theirs unless it is the shell. */
  readonly provider: string;
  /** Directory of the manifests that come with the program. */
  readonly templates: string;
  /** Who makes it, asked for once the repository is there. */
  readonly human: (repository: Repository) => Promise<GitIdentity>;
}

export interface InitResult {
  readonly directory: string;
  readonly rig: string;
  /** False: it was a town already, and nothing was written. */
  readonly made: boolean;
}

const SAMPLE_FILES: Readonly<Record<string, string>> = {
  "README.md": "# Sample\n\nA small project to try Town on. `sh test.sh` is its test.\n",
  "test.sh":
    '#!/bin/sh\n# Fails when a text file ends without a newline.\nstatus=0\nfor file in *.txt *.md; do\n  [ -e "$file" ] || continue\n  [ -z "$(tail -c 1 "$file")" ] || { echo "$file: no newline at the end"; status=1; }\ndone\nexit $status\n',
};

/** Key in the git config of a town's repository: the branch that is followed. Set first, so that it also marks what a killed init began. */
const BRANCH_KEY = "town.branch";
const OWN_NAMES = [".git", ".gitignore", "manifests", "sample"];

/** Whether a repository is that of a town: made here, or cloned from one. */
export async function isTown(repository: Repository, files: Files): Promise<boolean> {
  if ((await repository.config(BRANCH_KEY)) !== undefined) return true;
  return (await files.stat(`${repository.path}/manifests/towns/hq.yaml`)) !== undefined;
}

/**
 * Makes a town: a git repository with commented manifests and a first commit. Nothing is written into the rig's own
 * repository. On a town it does nothing; what a killed call left is finished. Throws `NotEmpty` when the directory holds
 * something else.
 */
export async function initTown(options: InitOptions, files: Files, git: Git): Promise<InitResult> {
  const { directory } = options;
  const rig = rigName(options.name ?? lastPart(options.rig ?? "sample"));
  const standing = await git.open(directory);
  const own = standing?.path === directory ? standing : undefined;
  const begun = own !== undefined && (await isTown(own, files));
  if (begun && (await own.resolve("HEAD")) !== undefined) return { directory, rig, made: false };
  const foreign = (await files.list(directory)).filter(
    (name) => name !== ".git" && !(begun && OWN_NAMES.includes(name)),
  );
  if (foreign.length > 0)
    throw new TownError("NotEmpty", `${directory} is not empty (${foreign.slice(0, 3).join(", ")} …)`, {
      hint: "name a new directory: town init DIR",
    });
  await files.makeDirectory(directory);
  const repository = own ?? (await git.init(directory, { bare: false, branch: "main" }));
  await repository.setConfig(BRANCH_KEY, (await repository.headBranch())?.replace("refs/heads/", "") ?? "main");
  const human = await options.human(repository);
  if (options.rig === undefined) await makeSample(`${directory}/sample`, human, files, git);
  const values = placeholders(options, rig, human);
  for (const template of await filesBelow(`${options.templates}/sample`, "", files)) {
    const text = (await files.readText(`${options.templates}/sample/${template}`)) ?? "";
    const path = `manifests/${template.replace(/^sample\//, `${rig}/`).replace("rigs/sample.yaml", `rigs/${rig}.yaml`)}`;
    await writeFile(
      `${directory}/${path}`,
      text.replace(/\$\{([A-Z_]+)\}/g, (whole, name: string) => values[name] ?? whole),
      files,
    );
  }
  if (options.provider !== "shell") await copyProvider(options, files);
  await writeFile(
    `${directory}/.gitignore`,
    "# Worktrees of agents, host facts, and the sample project: not part of the desired state.\n/rigs/\n/sample/\n/town.local.yaml\n",
    files,
  );
  await repository.commitAll(directory, "town: first manifests\n", human, human);
  return { directory, rig, made: true };
}

function placeholders(options: InitOptions, rig: string, human: GitIdentity): Readonly<Record<string, string>> {
  const isSample = options.rig === undefined;
  const place = options.rig ?? "./sample";
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\/|^[^/]+@[^/]+:/.test(place);
  return {
    OWNER: quoted(human.email),
    RIG: rig,
    PLACE: isUrl
      ? `# Cloned from here; nothing is pushed back unless spec.push says so.\n  url: ${quoted(place)}`
      : `# A repository on this machine (relative to the town, or absolute). Use \`url:\` for one elsewhere.\n  path: ${quoted(place)}`,
    PREFIX: rigPrefix(rig, {}),
    GATES: gateLines(options.gate),
    PROVIDER: options.provider,
    PROVIDER_NOTE:
      options.provider === "shell"
        ? "# The shell provider needs no model: it runs the sh blocks of a bead. `town get providers` lists the others."
        : `# What it may do without asking is stated in manifests/providers/${options.provider}.yaml.`,
    SUSPEND: isSample
      ? ""
      : "  # Take this line away to see it work: it adds HELLO.txt to the rig's target branch.\n  suspend: true\n",
  };
}

/** The manifest's gates, or how to state them. */
function gateLines(gate: string | undefined): string {
  const lines = ["merge:", "  gates:", "    - name: test", `      command: ${quoted(gate ?? "your test command")}`];
  return lines.map((line) => (gate === undefined ? `# ${line}` : line)).join("\n  ");
}

/** The provider as it comes with Town, with its comments: what a person may want to change is in the town's own hands. */
async function copyProvider({ directory, templates, provider }: InitOptions, files: Files): Promise<void> {
  const text = await files.readText(`${templates}/builtin/providers/${provider}.yaml`);
  if (text !== undefined) await writeFile(`${directory}/manifests/providers/${provider}.yaml`, text, files);
}

async function makeSample(path: string, human: GitIdentity, files: Files, git: Git): Promise<void> {
  const standing = await git.open(path);
  if (standing?.path === path && (await standing.resolve("HEAD")) !== undefined) return;
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
