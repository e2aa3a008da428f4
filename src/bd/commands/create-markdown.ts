import { readInput } from "../access/files.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, Call } from "../command.ts";
import { usageError } from "../grammar/usage-error.ts";
import { itemsOf } from "../grammar/flags.ts";
import { listedBead } from "../output/bead-json.ts";
import { cleanLine } from "../output/plain-text.ts";
import { customTypes, issueTypeOf } from "../values/issue-type.ts";
import { priorityOf } from "../values/priority.ts";
import type { BeadSpec } from "../writes/create-bead.ts";
import { createBead } from "../writes/create-bead.ts";
import { dependencySpec } from "../writes/dependency-spec.ts";
import { counted } from "../output/counted.ts";

/** One `## Title` of a Markdown file with its `### Section`s. */
export interface MarkdownBead {
  readonly title: string;
  /** Line of the title, from 1. */
  readonly line: number;
  /** Text by section name in lower case; what stands before the first section is `description`. */
  readonly sections: ReadonlyMap<string, string>;
}

/** Reads `## Title` / `### Section` blocks; anything before the first title is an introduction. Fenced code is text. */
export function markdownBeads(source: string): readonly MarkdownBead[] {
  const beads: { title: string; line: number; sections: Map<string, string> }[] = [];
  let section = "description";
  let isCode = false;
  source.split(/\r?\n/).forEach((line, i) => {
    if (/^\s*(?:```|~~~)/.test(line)) isCode = !isCode;
    const title = isCode ? undefined : /^##\s+(.+?)\s*#*\s*$/.exec(line)?.[1];
    const heading = isCode ? undefined : /^###\s+(.+?)\s*#*\s*$/.exec(line)?.[1];
    const current = beads.at(-1);
    if (title !== undefined) {
      beads.push({ title, line: i + 1, sections: new Map() });
      section = "description";
    } else if (current !== undefined && heading !== undefined) section = heading.toLowerCase();
    else if (current !== undefined) {
      const before = current.sections.get(section);
      current.sections.set(section, before === undefined ? line : `${before}\n${line}`);
    }
  });
  return beads.map((bead) => ({
    ...bead,
    sections: new Map([...bead.sections].map(([name, body]) => [name, body.trim()])),
  }));
}

const known = [
  "description",
  "priority",
  "type",
  "design",
  "acceptance criteria",
  "acceptance",
  "assignee",
  "labels",
  "dependencies",
  "notes",
];

/** `create -f FILE.md`: all beads of the file, or none. */
export async function createFromMarkdown(call: Call, path: string): Promise<Answer> {
  if (call.args.length > 0) throw usageError("cannot use both a title and --file", "leave the title out");
  const beads = markdownBeads(await readInput(path, call.context));
  if (beads.length === 0) throw usageError(`${path} holds no beads`, "begin each with a line `## Title`");
  const settings = await settingsOf(call.home, call.context);
  const custom = customTypes(settings["types.custom"]);
  const specs = beads.map((bead) => specOf(bead, path, custom, call.context.owner));
  if (call.flags.isSet("dry-run"))
    return {
      text: specs.map(({ fields }) => `Would create: ${cleanLine(fields.title)}`).join("\n"),
      json: specs.map(({ fields }) => ({ dry_run: true, ...fields })),
    };
  const made = await call.transact(call.home, (tx) => specs.map((spec) => createBead(tx, spec)));
  return {
    text: call.flags.isSet("silent")
      ? made.map(({ id }) => id).join("\n")
      : [
          `${call.paint("green", "✓")} Created ${counted(made.length, "issue")} from ${path}:`,
          ...made.map(({ id, title }) => `  ${id}: ${cleanLine(title)}`),
        ].join("\n"),
    json: made.map((record) => listedBead(call.home, record)),
  };
}

function specOf(bead: MarkdownBead, path: string, custom: readonly string[], owner: string | undefined): BeadSpec {
  const at = `${path}:${bead.line}`;
  const section = (name: string): string | undefined => {
    const body = bead.sections.get(name);
    return body === undefined || body === "" ? undefined : body;
  };
  for (const name of bead.sections.keys())
    if (!known.includes(name)) throw usageError(`${at}: unknown section "${name}"`, `sections are ${known.join(", ")}`);
  const labels = itemsOf((section("labels") ?? "").split(/\s*[\n,]\s*/).map(withoutBullet));
  const acceptance = section("acceptance criteria") ?? section("acceptance");
  const [design, assignee, notes] = [section("design"), section("assignee"), section("notes")];
  return {
    fields: {
      title: bead.title,
      description: section("description") ?? "",
      priority: priorityOf(section("priority") ?? "2"),
      issue_type: issueTypeOf(section("type") ?? "task", custom),
      ...(design === undefined ? {} : { design }),
      ...(acceptance === undefined ? {} : { acceptance_criteria: acceptance }),
      ...(assignee === undefined ? {} : { assignee }),
      ...(notes === undefined ? {} : { notes }),
      ...(labels.length === 0 ? {} : { labels }),
      ...(owner === undefined ? {} : { owner }),
    },
    dependencies: itemsOf((section("dependencies") ?? "").split(/\s*[\n,]\s*/).map(withoutBullet)).map(dependencySpec),
  };
}

function withoutBullet(line: string): string {
  return line.replace(/^\s*[-*]\s+/, "");
}
