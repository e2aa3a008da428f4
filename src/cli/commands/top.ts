import { availableParallelism, loadavg } from "node:os";
import { basename } from "node:path";
import { isSet, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { findTown } from "../connection/town-location.ts";
import { coloursWanted } from "../output/colour.ts";
import { readTown } from "../top/follow-town.ts";
import { plainFrame } from "../top/plain-frame.ts";
import { LiveObjects } from "../top/live-objects.ts";
import { runLive } from "../top/live-view.ts";
import { openTerminal } from "../top/terminal.ts";
import { topData } from "../top/top-data.ts";
import { runUse } from "../top/use-table.ts";
import { showsUnicode } from "../top/unicode.ts";

/**
 * The town live on the whole screen; without a terminal, or with --once, one plain picture of it; with -o its data. With
 * `agents` or `nodes` a table of what they take.
 */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const { streams, env } = context;
  const output = textFlag(input, "output");
  const [what, more] = input.args;
  if (more !== undefined) throw usageError(`\`town top\`: unexpected argument "${more}"`);
  if (what !== undefined) return await runUse(what, input, context);
  const name = townName(context);
  const interactive = streams.outIsTerminal && streams.inIsTerminal && env["TERM"] !== "dumb";
  if (interactive && output === undefined && !isSet(input, "once")) return await runLive(context, name, openTerminal);
  const objects = new LiveObjects();
  await readTown(context.api(), objects, context.signal);
  const data = topData(objects, name);
  const load = { averages: loadavg(), processors: availableParallelism() };
  if (output === "json") streams.out(`${JSON.stringify({ ...data, load }, undefined, 2)}\n`);
  else
    streams.out(
      plainFrame({
        data,
        load,
        nowMs: context.now(),
        columns: streams.columns,
        colours: coloursWanted(streams.outIsTerminal, env),
        unicode: showsUnicode(env),
      }),
    );
  return EXIT.done;
}

/** Inside an agent's session the directory is not known. */
function townName(context: CommandContext): string | undefined {
  const directory = findTown(context)?.directory;
  return directory === undefined ? undefined : basename(directory);
}
