import { describe, expect, test } from "vitest";
import { commands } from "../../src/bd/commands/command-list.ts";
import { nameAndAliases } from "../../src/bd/grammar/choose-command.ts";
import { elsewhere } from "../../src/bd/grammar/elsewhere.ts";
import { bdWorld, shop } from "./bd-world.ts";

type Json = Record<string, unknown>;

// What somebody writes who has used bd for a year: every flag of the commands that agents use must be understood.
const lines: readonly (readonly [line: string, stdin?: string])[] = [
  ["create x -t bug -p 1 -d why -a bob -l a,b --parent api-a00003 --deps api-a00002,discovered-from:api-a00003.1"],
  ["create x --id api-own --silent"],
  ["create x --type=feature --priority=P0 --assignee=bob --labels=a --label=b"],
  ["create x --ephemeral --due +6h --defer tomorrow --estimate 60 --external-ref gh-9"],
  ['create x --metadata {"a":1} --acceptance y --design z --notes n --waits-for api-a00003 --validate --dry-run'],
  ["create x --body-file -", "several\nlines"],
  ["create x --description -", "several\nlines"],
  ["create x --stdin", "several\nlines"],
  ["new x"],
  ["q x -t bug"],
  ["show api-a00002 api-a00003 --short --refs --children --include-dependents --include-comments"],
  ["view a00002"],
  ["list --status open,in_progress --type task --label x --ready --limit 5 --sort created --flat"],
  ["list --status open --status closed --parent api-a00003 --tree"],
  ["list -s all -n1 -p 2 --no-assignee --created-after 2020-01-01 --title-contains fr"],
  ["ls --all"],
  ["ready --explain --limit 3 --sort hybrid"],
  ["ready --claim"],
  ["ready --gated"],
  ["ready -u -l x -t task -p 2 --parent api-a00003 --include-deferred --include-ephemeral"],
  ["update api-a00002 --claim -p 0 -t bug --title new -d text --append-notes n --add-label l --remove-label x"],
  ["update api-a00002 --status in_progress"],
  ["claim api-a00002 api-a00003.1"],
  ["onboard"],
  ["update api-a00002 -s in-progress -a bob"],
  ["update api-a00002 --set-labels a,b --parent api-a00003 --set-metadata k=v --defer +1d --due +2d"],
  ["update api-a00002 api-a00003.1 --unset-metadata k --persistent --parent="],
  ["close api-a00002 api-a00003.1 --reason done"],
  ["close api-a00002 -m done"],
  ["close api-a00002 --resolution done --suggest-next"],
  ["done api-a00002 --claim-next"],
  ["close api-a00003 --force"],
  ["reopen api-a00004 -r again"],
  ["dep add api-a00002 api-a00003.1 --type discovered-from"],
  ["dep add api-a00002 --blocked-by api-a00003.1"],
  ["dep add api-a00002 --depends-on api-a00003.1 -t related"],
  ["dep api-a00003.1 --blocks api-a00002"],
  ["dep add --file -", '{"issue_id":"api-a00002","depends_on_id":"api-a00003.1"}'],
  ["link api-a00002 api-a00003.1"],
  ["dep remove api-a00003.1 api-a00003"],
  ["dep list api-a00002 --direction up -t blocks"],
  ["dep tree api-a00002 --direction both -d 2"],
  ["dep tree api-a00002 --format mermaid"],
  ["dep tree api-a00003 --reverse --status open,closed"],
  ["dep cycles"],
  ["blocked --parent api-a00003"],
  ["stats --no-activity --assigned"],
  ["status"],
  ["label add api-a00002 api-a00003.1 urgent"],
  ["label remove api-a00002 x"],
  ["label list api-a00002"],
  ["label list-all"],
  ["label add api-a00002 a,b"],
  ["label propagate api-a00003 urgent"],
  ["label remove api-a00002 x,y"],
  ["state api-a00002 patrol"],
  ["state list api-a00002"],
  ["set-state api-a00002 patrol=muted --reason quiet"],
  ["relate api-a00002 api-a00003.1"],
  ["dep relate api-a00002 api-a00003.1"],
  ["gate create --blocks api-a00002 --type timer --timeout 2h -r wait"],
  ["gate list --all"],
  ["gate list api-a00002"],
  ["gate check --dry-run"],
  ["list --label-exact x --label-regex ^x --external-ref gh-9 --defer-before +1d --defer-after -1d --no-pager"],
  ["--no-daemon --sandbox --no-auto-flush --no-auto-import --allow-stale ready"],
  ["ready --no-daemon --no-color --plain"],
  ["show api-a00002 --long"],
  ["update api-a00002 -d x --allow-empty-description"],
  ["create x --no-inherit-labels"],
  ["stats --all"],
  ["prime --full --stealth"],
  ["prime --mcp"],
  ["dolt commit"],
  ["comments add api-a00002 text"],
  ["comment api-a00002 several words"],
  ["comments add api-a00002 -f -", "text"],
  ["comments api-a00002"],
  ["search free --status open -n 3"],
  ["count --by-status"],
  ["stale --days 3"],
  ["epic status"],
  ["epic close-eligible --dry-run"],
  ["children api-a00003"],
  ["delete api-a00002 --force --reason slip"],
  ["duplicate api-a00002 --of api-a00003.1"],
  ["supersede api-a00002 --with api-a00003.1"],
  ["defer api-a00002 --until tomorrow"],
  ["undefer api-a00002"],
  ["config set a.b c"],
  ["config get a.b"],
  ["config list"],
  ["config unset a.b"],
  ["export"],
  ["import - --dry-run --allow-stale", '{"id":"api-i","title":"in"}'],
  ["remember fact --key k"],
  ["memories"],
  ["history api-a00002 -n 2"],
  ["sync"],
  ["sync --flush-only"],
  ["info"],
  ["where"],
  ["doctor"],
  ["prime --hook-json"],
  ["types"],
  ["statuses"],
  ["version"],
  ["--version"],
  ["quickstart"],
  ["help dep"],
  ["compact --stats"],
  ["gc --dry-run"],
  ["--json list"],
  ["-q update api-a00002 -p 1"],
  ["--actor bob comment api-a00002 text"],
];

describe("the habits of somebody who knows bd", () => {
  test.each(lines)("given bd %s, when run, then it is understood, with --json, too", async (line = "", stdin) => {
    for (const json of [[], ["--json"]]) {
      const bd = await shop();
      const argv = [...line.split(" "), ...json];
      const { stdout, stderr, exitCode } = await bd.run(argv, stdin === undefined ? {} : { stdin });
      expect({ exitCode, stderr: stderr.replace(/^Note: .*\n$/, "") }).toEqual({ exitCode: 0, stderr: "" });
      const isJson = argv.includes("--json") && !["export", "help"].includes(argv[0] ?? "");
      if (isJson) expect(() => JSON.parse(stdout) as unknown).not.toThrow();
    }
  });

  test("given q, when run, then it prints the id alone", async () => {
    const bd = await bdWorld();
    expect(await bd.out("q", "Epic two", "-t", "epic")).toBe("api-a00002");
  });

  test("given a description with several lines, quotes and other scripts, when filed, then it is kept as it was", async () => {
    const bd = await bdWorld();
    const stdin = 'first "line"\n\n\t`$HOME` ünï 你好 🎉\n';
    const { stdout } = await bd.run(["create", "x", "--body-file", "-", "--json"], { stdin });
    expect(JSON.parse(stdout)).toMatchObject({ description: stdin });
  });

  test("given words behind --, when filed, then they are the title, whatever they look like", async () => {
    const bd = await bdWorld();
    const { stdout } = await bd.run(["create", "--json", "--", "--flag is ignored"]);
    expect(JSON.parse(stdout)).toMatchObject({ title: "--flag is ignored" });
  });
});

describe("slips", () => {
  const slips: readonly (readonly [line: string, words: string, because: string])[] = [
    ["crate x", "did you mean create?", "a letter is missing"],
    ["lists", "did you mean list?", "a letter too many"],
    ["create x --titel y", "did you mean --title?", "letters are swapped"],
    ["create x -d", "flag needs an argument: -d", "the value was forgotten"],
    ["create two words", 'put the title into quotes: town bd create "Two words"', "the shell split the title"],
    ["list open", 'bd list takes no arguments, received "open"', "a filter without its flag would be ignored"],
    ["ready api-a00002", "bd ready takes no arguments", "an id would be ignored"],
    ["stats now", "see: town bd help stats", "the hint is one that can be run"],
    ["create x --deps blokcs:api-a00002", "did you mean blocks?", "a misspelt type would hold nothing back"],
    ["create x --deps related:api-nope", 'no issue found matching "api-nope"', "the other bead must be there"],
    ["close api-nope api-a00009", "town bd list --all shows what exists", "hints beside others can be run, too"],
    ["dolt status", "town bd sync", "another version's word has another one here"],
    ["dolt", "bd dolt needs one of: push, pull, commit", "a part of it is understood"],
    ["list --label-regex (", "--label-regex", "the expression is none"],
    ["unclaim api-a00002", "is not claimed", "nobody holds it"],
    ["promote api-a00002", "is no wisp", "it is an ordinary bead already"],
    ["gate create", "--blocks is required", "a gate holds something back"],
    ["gate create --blocks api-a00002 -t timer", "a timer needs --timeout", "it would never open"],
    ["gate create --blocks api-a00002 -t moon", 'invalid gate type "moon"', "nobody would open it"],
    [
      "gate create --blocks api-a00002 -t bead --await-id api-nope",
      'no issue found matching "api-nope"',
      "no such bead",
    ],
    ["gate resolve api-a00002", "is no gate", "close would close work"],
    ["gate check -t gh:run", "bd gate resolve ID", "it cannot be asked from here"],
    ["set-state api-a00002 patrol", "write DIMENSION=VALUE", "the value was forgotten"],
    ["dep unrelate api-a00002 api-a00004", "are not related", "there is nothing to take back"],
    ["find-duplicates --threshold 0.4", "town bd search", "likeness is for words"],
    ["dep tree api-a00002 --status opne", "did you mean open?", "it would show nothing"],
    ["show --current", "town bd ready --claim", "nothing is claimed"],
    ["delete --from-file nope --force", "cannot read nope", "the list is not there"],
    ["-v list", "unknown shorthand flag: 'v'", "it would print the version in place of the list"],
    ["list --verbose", "leave the flag out", "there is nothing more to tell"],
    ["--db /x/beads.db list", "use -C DIR", "its value is not taken for the command"],
    ["--lock-timeout 30s list", "leave the flag out", "its value is not taken for the command"],
    ["update api-a00002 --blocked-by api-a00003", "town bd dep add ID ID", "edges are made by dep"],
    ["update api-a00002 --labels x", "--add-label", "which of three is meant?"],
    ["create x --blocks api-a00002", "--deps blocks:ID", "it would be on its own"],
    ["list --status done", "did you mean closed?", "other trackers call it so"],
    ["update api-a00002 -s wip", "did you mean in_progress?", "other trackers call it so"],
    ["take api-a00002", "town bd update ID --claim", "a likely guess"],
    ["reset --force", "town bd help init", "leaving takes more than a word"],
    ["hooks install", "no git hooks are needed", "it needs nothing"],
    ["edit api-a00002", "town bd update ID", "an editor is no way for agents"],
    ["list --db x", "use -C DIR", "a flag of another version says what to use"],
    ["dep add api-a00002 api-a00003 --no-cycle-check", "circles are always refused", "it cannot be switched off"],
    ["import", "nothing to import", "nothing was piped in"],
    ["epic create goal", 'town bd create "Title" -t epic', "an epic is a bead"],
    ["label lst api-a00002", "did you mean list?", "a letter is missing"],
  ];

  test.each(slips)("given bd %s, when run, then it says: %s (%s)", async (line, words) => {
    const bd = await shop();
    const before = bd.graph.list().length;
    expect(await bd.fails(...line.split(" "))).toContain(words);
    expect(bd.graph.list()).toHaveLength(before);
  });

  test("given a type that nobody declared, when listed, then an empty answer says so", async () => {
    const bd = await shop();
    const { stdout, stderr } = await bd.run(["list", "--type", "bugg"]);
    expect(stdout).toBe("No issues found.\n");
    expect(stderr).toBe('Note: no type is called "bugg"; did you mean bug?\n');
    expect((await bd.run(["list", "--type", "bug"])).stderr).toBe("");
  });

  test("given a type of one's own for a dependency, when filed with it, then it is kept, and said to do nothing", async () => {
    const bd = await shop();
    const { stderr } = await bd.run(["create", "x", "--deps", "inspired-by:api-a00002"]);
    expect(stderr).toContain("edges of type inspired-by are kept and have no effect on what is ready");
  });

  test("given words of other versions, when looked up, then none is a command here, and each names what is", () => {
    const known = new Set(commands.flatMap(nameAndAliases).map((name) => name.split(" ")[0]));
    for (const [word, hint] of Object.entries(elsewhere)) {
      expect(known.has(word), word).toBe(false);
      const [first = "", second] = word.split(" ");
      if (second !== undefined) expect(known.has(first), word).toBe(true);
      for (const [, name = ""] of hint.matchAll(/(?:^|[\s;|])bd ([a-z-]+)/g)) expect(known.has(name), hint).toBe(true);
    }
  });
});

describe("me", () => {
  test.each([
    ["create x -a me"],
    ["update api-a00002 -a me"],
    ["assign api-a00002 me"],
    ["batch", "update api-a00002 assignee=me"],
  ])("given bd %s, when run, then the bead is the caller's, and `me` finds it", async (line, stdin = "") => {
    const bd = await shop();
    const done = await bd.run(line.split(" "), { stdin });
    expect(done.stderr).toBe("");
    const mine = bd.graph.list({ assignee: "alice" }).map(({ id }) => id);
    expect(mine).toHaveLength(1);
    expect((await bd.json<readonly Json[]>("list", "-a", "me")).map(({ id }) => id)).toEqual(mine);
    expect((await bd.json<readonly Json[]>("query", "assignee=me")).map(({ id }) => id)).toEqual(mine);
    expect((await bd.run(["list", "-a", "me", "--json"], { actor: "bob" })).stdout).toBe("[]\n");
  });

  test("given a bead put in progress by its status alone, when nobody is assigned, then it is said what would keep others away", async () => {
    const bd = await shop();
    const { stderr, exitCode } = await bd.run(["update", "api-a00002", "-s", "in_progress"]);
    expect([exitCode, stderr]).toEqual([
      0,
      "Note: api-a00002 is assigned to nobody; town bd update api-a00002 -a me says who. --claim does both at once.\n",
    ]);
    expect(await bd.fails("claim", "api-a00002")).toContain("town bd update api-a00002 --assignee me");
    expect((await bd.run(["update", "api-a00002", "-a", "me"])).stderr).toBe("");
    expect(await bd.out("claim", "api-a00002")).toContain("Claimed issue");
    expect((await bd.run(["update", "api-a00002", "-s", "in_progress"])).stderr).toBe("");
    expect((await bd.run(["update", "api-a00003.1", "--claim"])).stderr).toBe("");
  });

  test("given a free bead, when claimed by its own word, then it is as by update --claim, and nobody else gets it", async () => {
    const bd = await shop();
    expect(await bd.out("claim", "api-a00002")).toContain("Claimed issue: api-a00002");
    expect(bd.graph.get("api-a00002")).toMatchObject({ assignee: "alice", status: "in_progress" });
    const { stderr, exitCode } = await bd.run(["claim", "api-a00002"], { actor: "bob" });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("already claimed by alice")]);
  });
});

describe("what a list tells of a bead that cannot start", () => {
  test("given a bead with three blockers, when listed, then two are named until they close", async () => {
    const bd = await bdWorld();
    const [a, b, c] = [await bd.make("a"), await bd.make("b"), await bd.make("c")];
    const id = await bd.make("last", "--deps", `${a},${b},${c}`);
    const line = async (): Promise<string | undefined> =>
      (await bd.out("list", "--flat")).split("\n").find((text) => text.includes(`${id} `));
    expect(await line()).toBe(`○ ${id} [P2] - last (blocked by ${a}, ${b}, …)`);
    await bd.out("close", a, b);
    expect(await line()).toBe(`○ ${id} [P2] - last (blocked by ${c})`);
    await bd.out("close", c);
    expect(await line()).toBe(`○ ${id} [P2] - last`);
  });

  test("given a bead put off until tomorrow, when the time has come, then it looks open again", async () => {
    const bd = await bdWorld();
    const id = await bd.make("later", "--defer", "+1d");
    expect(await bd.out("list")).toBe(`❄ ${id} [P2] - later`);
    await bd.pass(86_400_001);
    expect(await bd.out("list")).toBe(`○ ${id} [P2] - later`);
  });

  test("given an epic, when the tree of what it depends on is only itself, then its children are pointed at", async () => {
    const bd = await shop();
    const { stderr } = await bd.run(["dep", "tree", "api-a00003"]);
    expect(stderr).toBe("Note: it depends on nothing itself. Its children (1): town bd children api-a00003\n");
    expect((await bd.run(["dep", "tree", "api-a00003", "--direction", "both"])).stderr).toBe("");
    expect((await bd.run(["dep", "tree", "api-a00002"])).stderr).toBe("");
  });
});

describe("lists that are cut", () => {
  test("given more hits than the limit, when searched, then the title counts all of them", async () => {
    const bd = await bdWorld();
    for (const title of ["a", "b", "c"]) await bd.make(`task ${title}`);
    expect(await bd.out("search", "task", "-n", "2")).toMatch(/^Found 3 issues matching 'task':/);
  });

  test("given more than the limit, when listed as JSON, then the last bead says so, and an uncut list says nothing", async () => {
    const bd = await bdWorld();
    for (const title of ["a", "b", "c"]) await bd.make(title);
    for (const command of ["list", "ready", "search --query a00"]) {
      const cut = await bd.json<Json[]>(...command.split(" "), "--limit", "2");
      expect(cut.map((bead) => bead["_truncated"])).toEqual([undefined, { shown: 2, total: 3, all: "--limit 0" }]);
      const whole = await bd.json<Json[]>(...command.split(" "));
      expect(whole.some((bead) => "_truncated" in bead)).toBe(false);
    }
  });
});

describe("import without a file", () => {
  const line = '{"id":"api-i","title":"in"}\n';

  test("given text that is piped in, when imported, then it is that", async () => {
    const bd = await bdWorld();
    await bd.files.makeDirectory("/home/alice/.beads");
    await bd.files.writeAtomic("/home/alice/.beads/issues.jsonl", line);
    const { stdout } = await bd.run(["import", "--json"], { stdin: '{"id":"api-p","title":"piped"}' });
    expect(JSON.parse(stdout)).toMatchObject({ source: "stdin", ids: ["api-p"] });
  });

  test.each([
    undefined,
    "",
    "\n",
  ])("given nothing piped in (%j), when imported, then .beads above is", async (stdin) => {
    const bd = await bdWorld();
    await bd.files.makeDirectory("/home/alice/.beads");
    await bd.files.writeAtomic("/home/alice/.beads/issues.jsonl", line);
    const { stdout } = await bd.run(["import", "--json"], {
      cwd: "/home/alice/deep/down",
      ...(stdin === undefined ? {} : { stdin }),
    });
    expect(JSON.parse(stdout)).toMatchObject({ source: "/home/alice/.beads", ids: ["api-i"] });
  });

  test("given lines without times, when imported again, then nothing is changed by it, and a new title still counts", async () => {
    const bd = await bdWorld();
    const stdin = '{"id":"api-u","title":"made by a script","priority":1}\n';
    await bd.run(["import", "-"], { stdin });
    await bd.pass(60_000);
    const before = bd.graph.get("api-u");
    expect((await bd.run(["import", "-"], { stdin })).stdout).toContain("0 created, 1 unchanged");
    expect(bd.graph.get("api-u")).toEqual(before);
    await bd.run(["import", "-"], { stdin: stdin.replace("script", "person") });
    expect(bd.graph.get("api-u")?.title).toBe("made by a person");
  });

  test("given a record older than the one here, when imported, then only --allow-stale takes it", async () => {
    const bd = await bdWorld();
    const old = (await bd.run(["import", "-"], { stdin: line })).exitCode;
    expect(old).toBe(0);
    const stdin = (await bd.run(["export"])).stdout;
    await bd.pass(1000);
    await bd.out("update", "api-i", "--title", "changed");
    expect((await bd.run(["import", "-"], { stdin })).stdout).toContain("1 older than here, left (--allow-stale");
    expect(bd.graph.get("api-i")?.title).toBe("changed");
    expect((await bd.run(["import", "-", "--allow-stale"], { stdin })).stdout).toContain("1 updated");
    expect(bd.graph.get("api-i")?.title).toBe("in");
  });
});
