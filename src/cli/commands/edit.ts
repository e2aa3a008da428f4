import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiStatusError, messageOf } from "../../errors/town-error.ts";
import type { CommandContext, CommandInput } from "../context.ts";
import { CliError, EXIT, usageError } from "../exit-codes.ts";
import { yamlText } from "../output/yaml.ts";
import { typeText } from "../resources/discovery.ts";
import { withoutManagedFields, type ApiObject } from "../resources/objects.ts";
import { findObjects } from "../resources/writes.ts";
import { callVerb } from "../verbs/call-verb.ts";

const INTRODUCTION =
  "# Save to change the object, leave the text as it is (or empty) to change nothing. Lines with # at their start are dropped.\n#\n";

/** Opens one object as YAML in $VISUAL or $EDITOR and replaces it with what was saved; a refusal opens the editor again. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const [target, second] = await findObjects(context.api(), input, "edit");
  if (target === undefined || second !== undefined) throw usageError("edit takes one object at a time");
  const directory = mkdtempSync(join(tmpdir(), "town-edit-"));
  const path = join(directory, `${target.type.singular}-${target.object.metadata.name}.yaml`);
  const original = yamlText(editable(target.object));
  let text = original;
  let refusal = "";
  for (;;) {
    writeFileSync(path, INTRODUCTION + refusal + text, { mode: 0o600 });
    await openEditor(path, context);
    const saved = readFileSync(path, "utf8").replace(/^#.*\n/gm, "");
    if (saved.trim() === "" || saved === original) {
      rmSync(directory, { recursive: true });
      context.streams.out("Edit cancelled, no changes made.\n");
      return EXIT.done;
    }
    if (saved === text)
      throw new CliError(
        EXIT.failed,
        "EditRefused",
        "the change was refused and then left as it was; nothing was changed",
        `your text is kept in ${path}`,
      );
    text = saved;
    const refused = await refusalOf(text, context);
    if (refused === undefined) {
      rmSync(directory, { recursive: true });
      context.streams.out(`${typeText(target.type)}/${target.object.metadata.name} edited\n`);
      return EXIT.done;
    }
    refusal = refused;
  }
}

/** Sends the text; what speaks against it as comment lines, or undefined when it was taken. */
async function refusalOf(text: string, context: CommandContext): Promise<string | undefined> {
  const documents = [{ path: "edit", text }];
  const args = { documents, mode: "Replace", dryRun: false };
  try {
    const result = await callVerb(context.api(), "apply", args);
    return (result.exitCode ?? EXIT.done) === EXIT.done ? undefined : commented(result.errorText ?? result.text);
  } catch (error) {
    if (!(error instanceof ApiStatusError) || ![400, 409, 422].includes(error.code)) throw error;
    return commented(messageOf(error));
  }
}

function commented(reason: string): string {
  const advice = reason.includes("has been modified")
    ? ["", "To overwrite the change made meanwhile, remove the line with resourceVersion."]
    : [];
  return `${[...reason.split("\n"), ...advice].map((line) => `# ${line}`.trimEnd()).join("\n")}\n#\n`;
}

/** Without what a client cannot change; resourceVersion stays, so that a change in between is noticed. */
function editable(object: ApiObject): ApiObject {
  const { status: _, ...rest } = withoutManagedFields(object);
  return rest;
}

async function openEditor(path: string, context: CommandContext): Promise<void> {
  const editor = context.env["VISUAL"] || context.env["EDITOR"] || "vi";
  // The variable may hold flags or quotes (`code --wait`), which only a shell reads; the path goes as an argument.
  const code = await context.programs.run(["/bin/sh", "-c", `${editor} "$1"`, "sh", path]);
  if (code !== 0)
    throw new CliError(
      EXIT.failed,
      "EditorFailed",
      `the editor (${editor}) ended with exit code ${code}; nothing was changed`,
      `your text is in ${path}`,
    );
}
