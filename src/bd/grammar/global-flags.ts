import type { Flag } from "./flag.ts";
import { also, flag, text } from "./flag.ts";

/** Flags every command has. */
export const globalFlags: readonly Flag[] = [
  flag("json", "print JSON"),
  flag("brief", "one short line a bead"),
  text("actor", "NAME", "who makes the change; default $BEADS_ACTOR, else as git knows you"),
  also(text("directory", "DIR", "work as if started in DIR", "C"), "dir"),
  text("rig", "RIG", "the store of this rig; default: the one the directory belongs to"),
  flag("quiet", "print nothing but errors", "q"),
  flag("no-color", "no colours at a terminal, either; also $NO_COLOR"),
  flag("readonly", "refuse to change anything"),
  flag("help", "show the flags of the command", "h"),
];

/**
 * What decides where a command works, read before it runs: the store is chosen with it. Values that make no sense are
 * reported when the command runs.
 */
export function placeFlags(argv: readonly string[]): {
  readonly directory?: string;
  readonly rig?: string;
} {
  let directory: string | undefined;
  let rig: string | undefined;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (word === "--") break;
    if (word === "-C" || word === "--directory" || word === "--dir") directory = argv[at + 1];
    else if (word === "--rig") rig = argv[at + 1];
    else {
      directory = /^(?:-C=?|--directory=|--dir=)(.+)$/s.exec(word)?.[1] ?? directory;
      rig = /^--rig=(.+)$/s.exec(word)?.[1] ?? rig;
    }
  }
  return { ...(directory === undefined ? {} : { directory }), ...(rig === undefined ? {} : { rig }) };
}
