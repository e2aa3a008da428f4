import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";

/** Path of a command as a shell would find it with this PATH; undefined when there is none that may be executed. */
export async function findProgram(command: string, path: string, cwd: string): Promise<string | undefined> {
  if (command.includes("/")) {
    const candidate = isAbsolute(command) ? command : resolve(cwd, command);
    return (await executable(candidate)) ? candidate : undefined;
  }
  for (const directory of path.split(":")) {
    const candidate = join(directory === "" ? cwd : resolve(cwd, directory), command);
    if (await executable(candidate)) return candidate;
  }
  return undefined;
}

async function executable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
