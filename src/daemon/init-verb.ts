import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { TownError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import type { Git, GitIdentity, Repository } from "../ports/git.ts";
import { initTown, type InitResult, isTown } from "./init.ts";
import { installedAgents } from "./installed-agents.ts";
import { readProjectFacts } from "./project-facts.ts";
import { isUrl } from "./rig-verbs.ts";

export interface InitCall {
  /** Absolute. */
  readonly cwd: string;
  readonly directory?: string | undefined;
  readonly rig?: string | undefined;
  readonly name?: string | undefined;
  readonly gate?: string | undefined;
  readonly provider?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory of the manifests that come with the program. */
  readonly templates: string;
}

interface Found {
  readonly project: Repository | undefined;
  readonly provider: string;
  readonly because: string;
  readonly gate: string | undefined;
}

/**
 * `town init`: in an empty place a town with a sample project, inside a project a town beside it. Looks around first,
 * writes only below the town's own directory, and says what to do next. Run again it changes nothing.
 */
export async function initText(call: InitCall, files: Files, git: Git): Promise<string> {
  const around = await git.open(call.cwd);
  const inTown = around !== undefined && (await isTown(around, files));
  const given = call.directory;
  const project =
    given === undefined && call.rig === undefined && around !== undefined && !inTown ? around.path : undefined;
  const beside = project === undefined ? "." : join(dirname(project), `${project.split("/").at(-1) ?? "project"}-town`);
  const directory = given === undefined && inTown ? around.path : resolve(call.cwd, given ?? beside);
  const rig = call.rig === undefined ? project : isLocal(call.rig) ? resolve(call.cwd, call.rig) : call.rig;
  const found = await lookAround(call, rig, files, git);
  const result = await initTown(
    {
      directory,
      rig,
      name: call.name,
      gate: found.gate,
      provider: found.provider,
      templates: call.templates,
      human: (repository) => human(call, repository),
    },
    files,
    git,
  );
  return result.made ? madeText(call, result, found, rig) : alreadyText(call, result);
}

async function lookAround(call: InitCall, rig: string | undefined, files: Files, git: Git): Promise<Found> {
  const project = rig !== undefined && isLocal(rig) ? await git.open(rig) : undefined;
  if (rig !== undefined && isLocal(rig) && project === undefined)
    throw new TownError("RepositoryNotFound", `there is no git repository at ${rig}`, {
      hint: `make one (git init ${rig}), or name another: town init DIR --rig PATH|URL`,
    });
  const guess = project === undefined ? undefined : (await readProjectFacts(project, "HEAD")).gates[0]?.command;
  const provider = await chooseProvider(call, rig, files);
  return { project, ...provider, gate: call.gate ?? (rig === undefined ? "sh test.sh" : guess) };
}

/** The sample project is worked on by the shell provider, which costs nothing; a project of one's own by what is installed. */
async function chooseProvider(
  call: InitCall,
  rig: string | undefined,
  files: Files,
): Promise<{ readonly provider: string; readonly because: string }> {
  const shipped = new Set(
    (await files.list(`${call.templates}/builtin/providers`)).map((name) => name.replace(/\.yaml$/, "")),
  );
  if (call.provider !== undefined) {
    if (!shipped.has(call.provider))
      throw new TownError("ProviderNotFound", `no provider '${call.provider}' comes with Town`, {
        hint: `there are: ${[...shipped].join(", ")}`,
      });
    return { provider: call.provider, because: "as asked" };
  }
  const installed = installedAgents(call.env["PATH"] ?? "").filter(({ provider }) => shipped.has(provider));
  const [first, ...others] = installed;
  if (first === undefined)
    return { provider: "shell", because: "no agent program found; it runs the sh blocks of a bead" };
  const also = others.length === 0 ? "" : `; also found: ${others.map(({ provider }) => provider).join(", ")}`;
  return rig === undefined
    ? {
        provider: "shell",
        because: `the sample needs no model; for your own: ${installed.map((each) => each.provider).join(", ")}`,
      }
    : { provider: first.provider, because: `found ${first.path}${also}` };
}

function madeText(call: InitCall, result: InitResult, found: Found, rig: string | undefined): string {
  const { provider } = found;
  const facts: readonly (readonly [string, string])[] = [
    ["rig", `${result.rig}  ${rig ?? "a sample project in ./sample"}`],
    ["gate", found.gate ?? "none yet: state one in manifests/rigs/"],
    ["agents", "1 crew (kept running), up to 2 polecats (while there is work)"],
    ["provider", `${provider} (${found.because})`],
  ];
  return [
    `Made a town in ${result.directory}`,
    "",
    ...facts.map(([name, text]) => `  ${name.padEnd(9)} ${text}`),
    "",
    ...(provider === "shell"
      ? []
      : [
          `${provider} asks before it runs what its own settings do not allow. What it may do`,
          `unattended is yours to say: autonomyArgs in manifests/providers/${provider}.yaml.`,
          "",
        ]),
    "Next",
    ...nextSteps(call, result.directory),
    rig === undefined
      ? "  town get convoys,agents,beads -w    the first convoy is on its way"
      : "  town resume convoy/first            see its first convoy work",
    "",
  ].join("\n");
}

function alreadyText(call: InitCall, { directory }: InitResult): string {
  return [`${directory} is a town already; nothing was changed.`, "", "Next", ...nextSteps(call, directory), ""].join(
    "\n",
  );
}

function nextSteps(call: InitCall, directory: string): readonly string[] {
  const path = relative(call.cwd, directory);
  return [
    ...(path === "" ? [] : [`  cd ${path.startsWith("../../..") ? directory : path}`]),
    "  town up -d                          start it",
    "  town status                         the town on one screen",
  ];
}

function isLocal(rig: string): boolean {
  return isAbsolute(rig) || rig.startsWith(".") || !isUrl(rig);
}

/** The person who makes the town, as git knows them; a stand-in where git does not. */
async function human({ env }: InitCall, repository: Repository): Promise<GitIdentity> {
  const name = env["GIT_AUTHOR_NAME"] ?? (await repository.config("user.name")) ?? env["USER"] ?? "overseer";
  const email =
    env["GIT_AUTHOR_EMAIL"] ??
    (await repository.config("user.email")) ??
    `${name.toLowerCase().replace(/[^a-z0-9]+/g, ".")}@localhost`;
  return { name, email };
}
