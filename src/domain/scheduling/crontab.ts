import { Cron } from "croner";
import { messageOf } from "../../errors/town-error.ts";

/** What is wrong with a line of crontab (five fields, or `@daily` and the like) or with its zone; undefined: nothing. */
export function crontabProblem(expression: string, timeZone: string | undefined): string | undefined {
  try {
    scheduleOf(expression, timeZone).nextRun(new Date(0));
    return undefined;
  } catch (error) {
    return messageOf(error).replace(/^Cron(?:Pattern|Date)?: /, "");
  }
}

/** The first time after `afterMs` that it names; undefined: there is none any more. */
export function nextCronTime(expression: string, timeZone: string | undefined, afterMs: number): number | undefined {
  return scheduleOf(expression, timeZone).nextRun(new Date(afterMs))?.getTime();
}

function scheduleOf(expression: string, timeZone: string | undefined): Cron {
  return new Cron(expression, {
    paused: true,
    mode: "5-part",
    ...(timeZone === undefined ? {} : { timezone: timeZone }),
  });
}
