import { AdapterError } from "../../errors/town-error.ts";
import { sessionNameProblem } from "./session-name.ts";

/** Throws AdapterError `SessionNameInvalid` unless the name can be used. */
export function requireSessionName(name: string): void {
  const problem = sessionNameProblem(name);
  if (problem !== undefined)
    throw new AdapterError("SessionNameInvalid", `Cannot start session '${name}': its name ${problem}`);
}

/** The refusal of a start that is older than what runs under its name. */
export function newerGeneration(
  start: { readonly name: string; readonly generation: number },
  running: number,
): AdapterError {
  return new AdapterError(
    "NewerGenerationRunning",
    `Cannot start session ${start.name} with generation ${start.generation}: generation ${running} is running`,
  );
}
