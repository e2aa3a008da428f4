import { prefixOf } from "../../domain/work-graph/ids/parse-id.ts";
import { TownError } from "../../errors/town-error.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { table } from "../output/table.ts";

export const initCommand: BdCommand = {
  name: "init",
  group: "Store",
  summary: "give the beads of this repository a prefix; nothing else is needed to begin",
  flags: [text("prefix", "PREFIX", "prefix of ids; default that of .beads, else the directory's name", "p")],
  examples: ["bd init --prefix api"],
  section: {
    title: "To leave a repository as it was (bd export -o FILE keeps the beads)",
    lines: [
      "git for-each-ref --format='delete %(refname)' refs/town refs/heads/town |",
      "  git update-ref --stdin",
      'rm -r "$(git rev-parse --git-common-dir)/town"',
      "git config --remove-section town",
    ],
  },
  // The prefix is in git's configuration: the store need not be locked for it.
  run: init,
};

async function init(call: Call): Promise<Answer> {
  const { tools, readOnly } = call.context;
  const prefix = call.flags.text("prefix")?.replace(/-+$/, "");
  if (prefix !== undefined && !isPrefix(prefix))
    throw usageError(
      `invalid prefix "${prefix}"`,
      "use lower-case letters, digits and single hyphens, beginning with a letter",
    );
  if (tools.init === undefined)
    throw new TownError("PrefixDeclared", "the prefix of a rig is declared in its manifest", {
      hint: "town edit rig NAME: spec.prefix",
    });
  if (readOnly === true || call.flags.isSet("readonly"))
    throw new TownError("ReadOnly", "bd init changes something, and this is read-only");
  const beads = call.home.size === 0 ? await bdDirectory(call.context) : undefined;
  const done = await tools.init({ prefix, orElse: await prefixIn(beads, call.context) });
  return {
    text: `${call.paint("green", "✓")} Beads of this repository begin with ${done.prefix}-\n  ${done.fresh ? call.own('Make the first: bd create "Title"') : "What is there keeps its ids."}`,
    json: { prefix: done.prefix, fresh: done.fresh },
    notes:
      beads === undefined
        ? []
        : [call.own(`Note: beads of an earlier tracker are here; take them in with: bd import ${beads}`)],
  };
}

function isPrefix(text: string): boolean {
  return /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text);
}

/** What the ids of an earlier tracker begin with, so that those made here go on like them. */
async function prefixIn(directory: string | undefined, { files, cwd }: Call["context"]): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  const text = (await files.readText(`${cwd}/${directory}/issues.jsonl`)) ?? "";
  const counts = new Map<string, number>();
  for (const [, id = ""] of text.matchAll(/^\{\s*"id":\s*"([^"]+)"/gm)) {
    const prefix = prefixOf(id) ?? "";
    if (isPrefix(prefix)) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** Where another bd keeps its beads in the caller's directory. */
async function bdDirectory({ files, cwd }: Call["context"]): Promise<string | undefined> {
  for (const path of [".beads", ".beads/backup"])
    if ((await files.stat(`${cwd}/${path}/issues.jsonl`)) !== undefined) return path;
  return undefined;
}

export const infoCommand: BdCommand = {
  name: "info",
  group: "Store",
  summary: "where the beads are and how many",
  run: async (call) => {
    const facts = await placeFacts(call);
    return {
      text: table(Object.entries(facts).map(([key, value]) => [`${key.replaceAll("_", " ")}:`, String(value)])),
      json: facts,
    };
  },
};

export const whereCommand: BdCommand = {
  name: "where",
  group: "Store",
  summary: "the repository that holds the beads",
  run: async (call) => {
    const { directory, branch } = await call.context.tools.place(call.home);
    return { text: directory, json: { path: directory, branch, prefix: call.home.prefix } };
  },
};

async function placeFacts(call: Call): Promise<Readonly<Record<string, string | number>>> {
  const { home, context } = call;
  const { directory, branch, commit, setAside } = await context.tools.place(home);
  return {
    repository: directory,
    branch,
    ...(commit === undefined ? {} : { commit }),
    prefix: home.prefix,
    store: home.namespace,
    issue_count: home.size,
    ...(setAside.length === 0 ? {} : { set_aside: setAside.length }),
    actor: call.author.actor,
    version: context.version,
  };
}
