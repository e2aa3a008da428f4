import type { ScreenState } from "../domain/agent-program/screen-state.ts";

/** One statement about a program: it held, did not, or could not be told. */
export interface Finding {
  readonly check: string;
  readonly result: "Passed" | "Failed" | "Skipped";
  readonly detail: string;
}

/** A call of `town` that the tested program, or its hook, made. */
export interface ProbeCall {
  /** Arguments after `town`. */
  readonly args: string;
  /** Id of the conversation that the hook told of. */
  readonly session: string | undefined;
}

/** What the stand-in tells a program that asks for its task, and what it says once it was nudged. */
export const TASK = "Run the shell command `town conformance begun` now, and do nothing else.";
export const NUDGED = "Run the shell command `town conformance nudged` now, and do nothing else.";

/**
 * A stand-in for `town` on the PATH of the tested program: it notes each call in the file `calls` beside it and answers
 * as the real one would, in the form that the hook asks for. What is to be said at the next prompt is in the file `say`.
 */
export const PROBE = `#!/bin/sh
# Stands in for town while a provider is tested.
here=\${0%/*}
json=
case " $* " in *" --hook "*) json=$(tr -d '\\n\\t ') ;; esac
printf '%s\\t%s\\n' "$*" "$json" >>"$here/calls"
text=
event=SessionStart
case "$*" in
  prime*) text='${TASK}' ;;
  *--reply\\ block*) exit 0 ;;
  nudge\\ drain*) event=UserPromptSubmit; [ ! -e "$here/say" ] || { text=$(cat "$here/say"); rm -f "$here/say"; } ;;
esac
[ -n "$text" ] || exit 0
case "$json" in *'"hook_event_name":"BeforeAgent"'*) event=BeforeAgent ;; esac
case "$*" in
  *--reply\\ context*) printf '{"hookSpecificOutput":{"hookEventName":"%s","additionalContext":"%s"}}\\n' "$event" "$text" ;;
  *) printf '%s\\n' "$text" ;;
esac
`;

/** Reads the stand-in's notes. */
export function probeCalls(text: string): readonly ProbeCall[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [args = "", json = ""] = line.split("\t");
      return { args, session: /"session_id":"([^"]+)"/.exec(json)?.[1] };
    });
}

/** Why a program that shows this will not go on by itself; undefined when it may. */
export function needsPerson(screen: ScreenState): string | undefined {
  if (screen.state === "DialogOpen") return "it shows a question; answer it once, or turn autonomyArgs on";
  if (screen.state === "AuthRequired") return "it asks to log in; run it once by hand";
  if (screen.state !== "RateLimited") return undefined;
  return screen.resetAtMs === undefined
    ? "it has reached a limit"
    : `it has reached a limit until ${new Date(screen.resetAtMs).toISOString()}`;
}

/** The report as a person reads it. */
export function reportText(name: string, version: string | undefined, findings: readonly Finding[]): string {
  const mark = { Passed: "ok     ", Failed: "FAILED ", Skipped: "skipped" } as const;
  const rows = findings.map(({ check, result, detail }) => `${mark[result]}  ${check}: ${detail}`);
  return [`provider ${name}, version ${version ?? "unknown"}`, ...rows].join("\n");
}
