const asText = "output is plain when nobody reads it at a terminal; --json prints data";
const always = "it is always so here; leave the flag out";

/** Flags of other bd versions that have nothing to switch here, with what to say of them. */
const everywhere: Readonly<Record<string, string>> = {
  db: "beads are kept in git, not in a database file; use -C DIR for another repository",
  format: asText,
  "lock-timeout": "commands that change the same beads wait for each other; leave the flag out",
  "local-time": "times are in UTC, as the Z behind them says",
  long: "bd show ID prints everything",
  me: "-a me finds what is yours",
  mine: "-a me finds what is yours",
  "no-db": "beads are kept in git; there is no database to leave out",
  output: asText,
  pretty: asText,
  robot: asText,
  verbose: "bd show ID and bd history ID tell everything there is; leave the flag out",
  watch: "watch bd list; in a town: town get beads -w",
  offset: "--limit 0 lists all; --json | jq takes out a part",
  profile: "there is no profiler",
};

/** Those of them that take a value and may stand in front of the command. */
export const foreignWithValue: ReadonlySet<string> = new Set(["db", "lock-timeout"]);

const edges = "bd dep add ID ID makes the first wait for the second; bd dep ID --blocks ID the second for the first";
const comment = 'bd comment ID "text"';
const labels = "--add-label, --remove-label and --set-labels";

const ofCommand: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  count: { by: "--by-status, --by-priority, --by-type, --by-assignee, --by-label" },
  create: {
    "blocked-by": "--deps ID waits for ID",
    blocks: "--deps blocks:ID makes ID wait",
    "depends-on": "--deps ID waits for ID",
    epic: "--parent EPIC",
    status: "beads begin open: bd update ID --claim begins one, --defer TIME puts it off",
    tag: "-l LABEL,…",
    tags: "-l LABEL,…",
    context: "-d takes what and why, --design how, --notes anything else",
    "no-history": "a wisp leaves nothing in git: --ephemeral",
    repo: "--rig RIG or -C DIR name another store",
    skills: "-l LABEL,… says what it needs",
  },
  comment: { author: "--actor NAME says who comments", body: comment, message: comment, text: comment },
  close: {
    "no-auto": "without --continue nothing is claimed; bd ready --mol ID shows the next step",
    session: "the session is known; leave the flag out",
  },
  "dep add": { "no-cycle-check": "circles are always refused; looking for them costs next to nothing" },
  duplicates: {
    "auto-merge": "bd duplicate ID --of ID closes one as the other's duplicate",
    "dry-run": "nothing is changed by looking; leave the flag out",
    method: "beads with the same title and description are found; bd search finds like ones",
    threshold: "beads with the same title and description are found; bd search finds like ones",
  },
  "gate check": { escalate: "town escalate asks a person" },
  info: {
    schema: "fields are those of bd's JSON lines: bd show ID --json",
    "whats-new": "bd prime says how to work here, bd help lists the commands",
  },
  list: {
    "as-of": "bd show ID --as-of REV; bd diff REV tells what changed since",
    blocked: "bd blocked",
    closed: "-s closed",
    "in-progress": "-s in_progress",
    open: "-s open",
    search: 'bd search "words"',
  },
  doctor: { fix: "each finding names the command that mends it", yes: "each finding names the command that mends it" },
  export: { format: "JSON lines are the only format", scrub: "bd export | jq takes out what you name" },
  import: { dedup: "beads are told apart by their ids; bd duplicates finds equal titles afterwards" },
  init: {
    branch: "beads are on the branch town/work",
    force: always,
    "from-jsonl": "bd import takes in .beads afterwards",
  },
  show: {
    comments: "bd show ID prints them; bd comments ID alone",
    history: "bd show ID prints it; bd history ID alone",
    thread: "town mail thread ID",
  },
  sync: {
    force: "nothing is forced: what both sides changed is merged field by field",
    message: "the branch says itself what changed",
    "from-main": "every branch sees the same beads",
    "import-only": "bd import FILE",
    "no-pull": "a push without what others pushed would be refused; use bd flush to write the branch alone",
    status: "bd doctor, bd info",
  },
  update: {
    "blocked-by": edges,
    blocks: edges,
    close: "bd close ID --reason TEXT",
    comment,
    depends: edges,
    "depends-on": edges,
    deps: edges,
    label: labels,
    labels,
    reason: "bd close ID --reason TEXT; bd comment ID TEXT",
    tags: labels,
  },
};

/** What to say of a flag that only other versions of bd have; undefined: no version is known to. */
export function foreignFlag(command: string, name: string): string | undefined {
  const own = Object.hasOwn(ofCommand, command) ? ofCommand[command] : undefined;
  if (own !== undefined && Object.hasOwn(own, name)) return own[name];
  return Object.hasOwn(everywhere, name) ? everywhere[name] : undefined;
}
