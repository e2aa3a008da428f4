import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CommandContext, Streams } from "./context.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { loadBundle } from "./load-bundle.ts";

/** What the offline composition root exports: verbs that need files and git, but no daemon. */
interface OfflineRoot {
  runOffline(verb: string, args: Readonly<Record<string, unknown>>, streams: Streams): Promise<number>;
}

/**
 * Runs a verb without a daemon and returns its exit code. `cwd` and `town` (from `-C` or $TOWN_DIR, when given) are
 * added to the arguments.
 */
export async function runOffline(
  verb: string,
  args: Readonly<Record<string, unknown>>,
  context: CommandContext,
): Promise<number> {
  const path = join(context.distDirectory, "bin", "town-offline.cjs");
  if (!existsSync(path))
    throw new CliError(
      EXIT.failed,
      "OfflineMissing",
      `\`town ${verb}\` needs ${path}, which this installation lacks`,
      "reinstall the package, or run `npm run build` in a checkout",
    );
  const bundle = loadBundle<OfflineRoot>(path, context.env);
  const town = context.townOption ?? context.env["TOWN_DIR"];
  const exitCode = await bundle.exports.runOffline(
    verb,
    { ...args, cwd: context.cwd, ...(town === undefined || town === "" ? {} : { town }) },
    context.streams,
  );
  bundle.keepCode();
  return exitCode;
}
