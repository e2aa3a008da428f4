import { dirname, resolve } from "node:path";
import { type CommandContext, type CommandInput, textFlag } from "../context.ts";
import { CliError, EXIT, usageError } from "../exit-codes.ts";
import { tableLines } from "../output/table.ts";
import { plainText } from "../output/terminal-text.ts";

interface Origin {
  readonly commit: string;
  readonly author: string;
  readonly agent?: string;
  readonly bead?: string;
  readonly session?: string;
}

interface BlamedLine extends Origin {
  readonly line: number;
  readonly text: string;
}

/** `town blame-agent FILE`: git's blame, with the agent, session and bead that each commit's trailers name. */
export async function runBlameAgent(input: CommandInput, context: CommandContext): Promise<number> {
  const [file, ...rest] = input.args;
  if (file === undefined || rest.length > 0)
    throw usageError("`town blame-agent` takes one FILE", "`town blame-agent src/server.ts`");
  const path = resolve(context.cwd, file);
  const lines = textFlag(input, "lines");
  const revision = textFlag(input, "revision");
  const blamed = await git(
    [
      "blame",
      "--porcelain",
      ...(lines === undefined ? [] : ["-L", lines]),
      ...(revision === undefined ? [] : ["--end-of-options", revision]),
      "--",
      path,
    ],
    path,
    context,
  );
  const { commits, lines: found } = readPorcelain(blamed);
  const origins = await originsOf(commits, path, context);
  const all: readonly BlamedLine[] = found.map(({ commit, line, text }) => ({
    ...(origins.get(commit) ?? { commit, author: commits.get(commit) ?? "" }),
    line,
    text,
  }));
  const { streams } = context;
  if (textFlag(input, "output") === "json") {
    streams.out(`${JSON.stringify(all, undefined, 2)}\n`);
    return EXIT.done;
  }
  const rows = all.map((each) => [
    NOT_COMMITTED.test(each.commit) ? "-" : each.commit.slice(0, 8),
    each.agent ?? each.author,
    each.bead ?? "-",
    String(each.line),
    plainText(each.text),
  ]);
  streams.out(
    tableLines(
      { headers: ["COMMIT", "BY", "BEAD", "LINE", "TEXT"], rows },
      { columns: streams.columns, colours: false },
    ),
  );
  return EXIT.done;
}

const NOT_COMMITTED = /^0+$/;

/** https://git-scm.com/docs/git-blame#_the_porcelain_format; commits with the name of their author. */
function readPorcelain(text: string): {
  readonly commits: ReadonlyMap<string, string>;
  readonly lines: readonly { readonly commit: string; readonly line: number; readonly text: string }[];
} {
  const commits = new Map<string, string>();
  const lines: { readonly commit: string; readonly line: number; readonly text: string }[] = [];
  let commit = "";
  let line = 0;
  for (const row of text.split("\n")) {
    const heading = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(row);
    if (row.startsWith("\t")) lines.push({ commit, line, text: row.slice(1) });
    else if (heading !== null) {
      commit = heading[1] ?? "";
      line = Number(heading[2]);
    } else if (row.startsWith("author ")) commits.set(commit, row.slice("author ".length));
  }
  return { commits, lines };
}

/** Who and what each commit is of, in one run of git. */
async function originsOf(
  commits: ReadonlyMap<string, string>,
  path: string,
  context: CommandContext,
): Promise<ReadonlyMap<string, Origin>> {
  const ids = [...commits.keys()].filter((id) => !NOT_COMMITTED.test(id));
  if (ids.length === 0) return new Map();
  const trailer = (key: string): string => `%(trailers:key=${key},valueonly,separator=%x2C)`;
  const format = ["%H", "%an", trailer("Town-Agent"), trailer("Town-Bead"), trailer("Town-Session")].join("%x00");
  const text = await git(["log", "--no-walk=unsorted", `--format=${format}`, ...ids], path, context);
  return new Map(
    text
      .split("\n")
      .filter((row) => row !== "")
      .map((row) => {
        const [commit = "", author = "", agent = "", bead = "", session = ""] = row.split("\0");
        return [
          commit,
          {
            commit,
            author,
            ...(agent === "" ? {} : { agent }),
            ...(bead === "" ? {} : { bead }),
            ...(session === "" ? {} : { session }),
          },
        ];
      }),
  );
}

async function git(args: readonly string[], path: string, context: CommandContext): Promise<string> {
  const { exitCode, out, err } = await context.programs.output(["git", ...args], { cwd: dirname(path) });
  if (exitCode !== 0)
    throw new CliError(
      EXIT.failed,
      "GitFailed",
      `git ${args[0] ?? ""} of ${path}: ${plainText(err.trim().replace(/^fatal: /, ""))}`,
      "FILE must be tracked in a git repository, as in a checkout of the rig or a sandbox",
    );
  return out;
}
