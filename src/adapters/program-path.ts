import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { AdapterError } from "../errors/town-error.ts";

/** Where execvp looks when the environment has no PATH. */
const DEFAULT_PATH = "/usr/local/bin:/bin:/usr/bin";

/** The program file that a command means, found as execvp finds it. Throws AdapterError that tells what is missing. */
export async function programPath(
  command: string,
  where: { readonly cwd: string; readonly path: string | undefined },
): Promise<string> {
  const directory = await stat(where.cwd).catch(() => undefined);
  if (directory?.isDirectory() !== true) {
    throw new AdapterError("DirectoryMissing", `Cannot run ${command} in ${where.cwd}: there is no such directory.`, {
      code: "ENOENT",
    });
  }
  const candidates = command.includes("/")
    ? [isAbsolute(command) ? command : resolve(where.cwd, command)]
    : (where.path ?? DEFAULT_PATH).split(delimiter).map((entry) => resolve(where.cwd, join(entry, command)));
  let denied = false;
  for (const candidate of candidates) {
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    if (
      await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return candidate;
    denied = true;
  }
  const searched = command.includes("/") ? "" : ` on PATH (${where.path ?? DEFAULT_PATH})`;
  throw denied
    ? new AdapterError("CommandNotExecutable", `Cannot run ${command}: it is not executable.`, {
        code: "EACCES",
        hint: `Run: chmod +x ${candidates.at(-1) ?? command}`,
      })
    : new AdapterError("CommandNotFound", `Cannot run ${command}: there is no such program${searched}.`, {
        code: "ENOENT",
        hint: `Install ${command} or correct the command.`,
      });
}
