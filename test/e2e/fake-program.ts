import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TownProcess } from "./town-process.ts";

/**
 * A program at a terminal that behaves as real ones do where no test can make them: it has a prompt, a title, a start and
 * a prompt hook, takes typed lines, and shows what files in its directory tell it to show.
 */
const PROGRAM = `#!/usr/bin/env node
const { spawnSync } = require("node:child_process");
const { appendFileSync, existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const directory = __dirname;
if (process.argv[2] === "--version") {
  process.stdout.write("1.0.0\\n");
  process.exit(0);
}
const read = (name) => (existsSync(join(directory, name)) ? readFileSync(join(directory, name), "utf8") : undefined);
const say = (text) => process.stdout.write(text.endsWith("\\n") ? text : text + "\\n");
const title = (text) => process.stdout.write("\\u001b]2;" + text + "\\u0007");
const note = (text) => appendFileSync(join(directory, "notes"), process.env.TOWN_AGENT + " " + text + "\\n");
const hook = (args, event) =>
  spawnSync("town", args, { input: JSON.stringify({ session_id: "s", hook_event_name: event }), encoding: "utf8" }).stdout;
let inMenu = false;
function idle() {
  title("coder idle");
  process.stdout.write("> ");
}
function turn(prompt) {
  note("prompted: " + prompt);
  title("coder busy");
  const told = hook(["nudge", "drain", "--hook"], "UserPromptSubmit");
  if (told !== "") note("told: " + told.replaceAll("\\n", " / "));
  const limit = read("limit");
  if (limit !== undefined) {
    say(limit);
    if (read("quits") !== undefined) process.exit(1);
    if (read("menu") !== undefined) {
      inMenu = true;
      say(read("menu"));
      return;
    }
    return idle();
  }
  if (read("hangs") !== undefined) return;
  const script = read("work.sh");
  if (script !== undefined) spawnSync("/bin/sh", ["-c", script], { stdio: ["ignore", "inherit", "inherit"] });
  idle();
}
note("started");
hook(["prime", "--hook"], "SessionStart");
const first = process.argv[2];
if (first !== undefined) {
  say("> " + first);
  turn(first);
} else idle();
let text = "";
process.stdin.setEncoding("utf8").on("data", (data) => {
  text += data;
  for (let end = text.indexOf("\\n"); end !== -1; end = text.indexOf("\\n")) {
    const line = text.slice(0, end);
    text = text.slice(end + 1);
    if (inMenu) note("typed into the menu: " + line);
    else turn(line);
  }
});
`;

const WORK = `town prime > /dev/null
date > "work-$(basename "$TOWN_AGENT")-$(git rev-parse --short HEAD).txt"
git add --all && git commit --quiet -m work && town done
`;

/** Installs the program beside a town and declares it as the provider \`coder\`. */
export class FakeProgram {
  readonly directory: string;

  constructor(town: TownProcess) {
    this.directory = join(town.home, "coder");
    mkdirSync(this.directory);
    const path = join(this.directory, "coder.cjs");
    writeFileSync(path, PROGRAM);
    chmodSync(path, 0o755);
    // A launcher of the kind that people write, which stays when what it launched is gone.
    const launcher = join(this.directory, "launcher.sh");
    const stays = join(this.directory, "leaves a shell");
    writeFileSync(
      launcher,
      `#!/bin/sh\nif [ -e "${stays}" ] && [ "$1" != --version ]; then rm "${stays}"; echo "coder: out of memory"; exec /bin/sh; fi\nexec "${path}" "$@"\n`,
    );
    chmodSync(launcher, 0o755);
    this.set("work.sh", WORK);
    town.commit(
      "providers/coder.yaml",
      `apiVersion: town.dev/v1alpha1
kind: Provider
metadata: { name: coder }
spec:
  command: ["${launcher}"]
  prompt: { mode: Argument }
  ready: { screen: "^> *$", idleTitle: "^coder idle", busyTitle: "^coder busy" }
  hooks: { events: [SessionStart, PromptSubmit] }
  patterns:
    rateLimited: "You've hit your usage limit"
    limitDialog: "^> 1\\\\. Stop and wait"
    dialogOpen: "^> 1\\\\. "
`,
    );
  }

  /** What it shows or does from now on; undefined: no more. */
  set(name: "limit" | "menu" | "quits" | "hangs" | "leaves a shell" | "work.sh", text: string | undefined): void {
    if (text === undefined) rmSync(join(this.directory, name), { force: true });
    else writeFileSync(join(this.directory, name), text);
  }

  get notes(): readonly string[] {
    const path = join(this.directory, "notes");
    return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
  }
}
