import { shellWord } from "../sessions/shell-text.ts";
import { CONTROL_SESSION } from "./control-session.ts";
import { formatLiteral, tmuxWord } from "./control-protocol.ts";

/** Options that hold what the daemon wants shown: one for all, one a session. */
export const TOWN_STATUS = "@town_status";
export const SESSION_STATUS = "@town_state";

const WHO = "#{?@town_name,#{@town_namespace}/#{@town_role}/#{@town_agent},#{session_name}}";
/** A terminal of 80 columns has room for the agent, its bead and step, and the town; not for whole identities. */
const NARROW = "#{e|<:#{client_width},100}";
const SHORT_WHO = "#{?@town_name,#{@town_role}/#{@town_agent},#{session_name}}";
const BEAD = "#{?@town_bead, #{@town_bead},}";
const DEAD = "#{?pane_dead, #[fg=red]exited#[default],}";
const SCROLL = "#{?pane_in_mode, #[fg=yellow]scrolling: doorbells wait#[default],}";
const SHORT_SCROLL = "#{?pane_in_mode, #[fg=yellow]scrolling#[default],}";
const LEFT = ` #[bold]${WHO}#[default]${BEAD} #{${SESSION_STATUS}}${DEAD}${SCROLL} `;
const SHORT_LEFT = ` #[bold]${SHORT_WHO}#[default]${BEAD}#{?pane_in_mode,, #{${SESSION_STATUS}}}${DEAD}${SHORT_SCROLL} `;

const LOST = `#{&&:#{==:#{session_name},${CONTROL_SESSION}},#{==:#{client_control_mode},0}}`;

/**
 * What a person sees and presses on the town's server. Sessions are named rig, role, agent, so their order by name
 * groups them. Nothing in the status line runs a program: it shows options that the daemon sets.
 */
export function faceConfig(townCommand: readonly string[] | undefined): readonly string[] {
  const tree = (filter: string): string =>
    `choose-tree -sZ -O name -f ${tmuxWord(filter)} -F ${tmuxWord(`${WHO}${BEAD}${DEAD} #{${SESSION_STATUS}}`)}`;
  const agents = "#{!=:#{@town_name},}";
  return [
    "set -gq status on",
    "set -gq status-interval 5",
    "set -gq status-left-length 80",
    "set -gq status-right-length 120",
    `set -gq status-left ${tmuxWord(`#{?${NARROW},${SHORT_LEFT},${LEFT}}`)}`,
    `set -gq status-right ${tmuxWord(`#{${TOWN_STATUS}} %H:%M `)}`,
    "set -gq window-status-format ''",
    "set -gq window-status-current-format ''",
    "set -gq set-titles on",
    `set -gq set-titles-string ${tmuxWord(WHO)}`,
    bind("n", "next agent", "{ set-option -g @town_way -n ; switch-client -n }"),
    bind("p", "previous agent", "{ set-option -g @town_way -p ; switch-client -p }"),
    // A person who comes to Town's own session, by these keys or because an agent's ended, goes on to the next.
    "set -gq @town_way -n",
    `set-hook -g client-session-changed ${tmuxWord(`if-shell -F '${LOST}' 'run-shell -C "switch-client #{@town_way}"'`)}`,
    bind("s", "choose among all agents", `{ ${tree(agents)} }`),
    bind("g", "choose among the agents of this rig", `run-shell -C ${tmuxWord(tree(sameAs("@town_namespace")))}`),
    bind("r", "choose among the agents of this role", `run-shell -C ${tmuxWord(tree(sameAs("@town_role")))}`),
    ...popups(townCommand),
  ];
}

/** A filter whose right side is read when the key is pressed (`run-shell -C` expands once, the list once more). */
function sameAs(option: string): string {
  return `##{==:##{${option}},#{${option}}}`;
}

function popups(townCommand: readonly string[] | undefined): readonly string[] {
  if (townCommand === undefined) return [];
  const town = formatLiteral(townCommand.map(shellWord).join(" "));
  const popup = (command: string): string => `display-popup -E -w 90% -h 85% ${tmuxWord(command)}`;
  const pager = "less -R +G";
  return [
    bind("t", "the town at a glance", popup(`${town} top`)),
    bind(
      "k",
      "peek at an agent",
      `command-prompt -p 'peek at agent:' ${tmuxWord(popup(`${town} peek "%%" | ${pager}`))}`,
    ),
    bind(
      "S",
      "sling work",
      `command-prompt -p 'sling bead:,to:' ${tmuxWord(popup(`${town} sling "%1" "%2" 2>&1 | ${pager}`))}`,
    ),
  ];
}

function bind(key: string, note: string, command: string): string {
  return `bind-key -N ${tmuxWord(note)} ${key} ${command}`;
}

/** Command that sets one status text, literally: neither formats nor styles in it have an effect. */
export function statusCommand(
  where: string,
  option: string,
  text: string | undefined,
): { readonly key: string; readonly text: string } {
  const plain = (text ?? "")
    .replace(/\p{Cc}/gu, " ")
    .replaceAll("#", "##")
    .slice(0, 200);
  return { key: `${where} ${option}`, text: `set-option ${where} ${option} ${tmuxWord(plain)}` };
}
