import { CliError, EXIT } from "../exit-codes.ts";
import type { Api } from "./api.ts";
import { socketApi } from "./socket-api.ts";
import { findTarget, type Surroundings, type TargetProblem } from "./town-location.ts";

/** The API of the town in question. Throws CliError (exit 6) that says what to run when there is none. */
export function openApi(around: Surroundings, userAgent: string): Api {
  const target = findTarget(around);
  if ("problem" in target) throw problemError(target, around);
  return socketApi(target, userAgent);
}

function problemError(problem: TargetProblem, around: Surroundings): CliError {
  switch (problem.problem) {
    case "NoTown":
      return new CliError(
        EXIT.unreachable,
        "NoTown",
        `no town at or above ${around.townOption ?? around.cwd}`,
        "go to a town's repository, name it with -C DIR, or make one with `town init`",
      );
    case "NoDaemon":
      return new CliError(
        EXIT.unreachable,
        "NoDaemon",
        `no daemon runs for the town ${problem.town.directory}`,
        "start it with `town up -d`",
      );
    case "NoToken":
      return new CliError(
        EXIT.unreachable,
        "NoToken",
        `Cannot read the token ${problem.path}`,
        around.env["TOWN_TOKEN_FILE"] !== undefined
          ? "this session has ended or left, or another one took over: end this program; a person takes the agent again with `town join`"
          : "the daemon writes it when it starts, readable by its own user only: run as that user, or restart with `town up -d`",
      );
    default:
      return problem satisfies never;
  }
}
