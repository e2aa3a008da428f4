import { isSet, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { VERSION_TEXT } from "../version.ts";

/** Of `/version`: the Kubernetes version whose protocol is spoken, with the daemon's own behind `+town.`. */
interface ServerVersion {
  readonly gitVersion?: string;
}

/** Version of this command and of the daemon, where one runs; a missing daemon is no error here. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const server = isSet(input, "client") ? undefined : await serverVersion(context);
  if (textFlag(input, "output") === "json") {
    context.streams.out(
      `${JSON.stringify({ client: { version: VERSION_TEXT, node: process.version }, ...(server === undefined ? {} : { server }) }, undefined, 2)}\n`,
    );
    return EXIT.done;
  }
  context.streams.out(`town ${VERSION_TEXT} (Node ${process.version})\n`);
  if (server !== undefined) {
    const [kubernetes = "unknown", town = "of unknown version"] = (server.gitVersion ?? "").split("+town.");
    context.streams.out(`daemon ${town} (Kubernetes API ${kubernetes})\n`);
  }
  return EXIT.done;
}

async function serverVersion(context: CommandContext): Promise<ServerVersion | undefined> {
  try {
    const answer = await context.api().send({ method: "GET", path: "/version" });
    return answer.status === 200 ? (JSON.parse(answer.text) as ServerVersion) : undefined;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.unreachable) return undefined;
    throw error;
  }
}
