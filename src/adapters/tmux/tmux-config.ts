import { existsSync } from "node:fs";
import { tmuxWord } from "./control-protocol.ts";
import { faceConfig } from "./tmux-face.ts";

export interface TmuxConfigInput {
  /** Lines of `Town.spec.tmux.extraConfig`, sourced last. */
  readonly extraConfig?: string;
  /** Command that runs `town` for this town, for popups. Absent: no popups are bound. */
  readonly townCommand?: readonly string[];
}

/** Best terminal description this machine has for what tmux can do. */
export function terminalName(): string {
  const homes = [
    "/usr/share/terminfo",
    "/lib/terminfo",
    "/etc/terminfo",
    "/usr/lib/terminfo",
    "/opt/homebrew/share/terminfo",
  ];
  // Linux sorts descriptions by first letter, macOS by its hexadecimal code.
  const known = homes.some((home) => existsSync(`${home}/t/tmux-256color`) || existsSync(`${home}/74/tmux-256color`));
  return known ? "tmux-256color" : "screen-256color";
}

/**
 * Configuration of the town's own tmux server. `-q`: options a tmux of the supported range lacks are passed over.
 * What it must guarantee: exited programs keep their last screen, nobody's environment leaks into new sessions when a
 * person attaches, titles and names stay as programs and Town set them. A person's lines are in a file of their own, so
 * that a mistake there takes nothing of this away.
 */
export function tmuxConfig(input: TmuxConfigInput, extraPath: string): string {
  return [
    "# Written by Town at each start; put your own lines into Town.spec.tmux.extraConfig.",
    "set -gq remain-on-exit on",
    "set -gq remain-on-exit-format ''",
    "set -gq update-environment ''",
    `set -gq default-terminal ${terminalName()}`,
    "set -gq destroy-unattached off",
    "set -gq detach-on-destroy off",
    "set -gq automatic-rename off",
    "set -gq allow-rename off",
    "set -gq history-limit 10000",
    "set -gq escape-time 10",
    "set -gq focus-events on",
    "set -gq mouse on",
    "set -gq set-clipboard on",
    ...faceConfig(input.townCommand),
    `source-file -q ${sourcePath(extraPath)}`,
    "",
  ].join("\n");
}

/** A path for `source-file`, which takes a glob pattern. */
export function sourcePath(path: string): string {
  return tmuxWord(path.replace(/[*?[\]\\]/g, "\\$&"));
}
