import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/command-rows.ts";
import { EXIT_MEANINGS } from "../../src/cli/exit-codes.ts";
import { FakeTown } from "./fake-town.ts";
import { runTown } from "./run-town.ts";
import { sampleTown, transcript } from "./sample-town.ts";

describe("help", () => {
  it("given no command, when run, then it prints every command in its group", async () => {
    const { out, code } = await runTown(new FakeTown(), "");
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot("../golden/cli/help.txt");
    for (const row of out.split("\n")) expect(row.length, row).toBeLessThanOrEqual(80);
    for (const words of ["help", "--help", "-h"]) expect((await runTown(new FakeTown(), words)).out).toBe(out);
  });

  it("given each command, when asked for help, then it explains its usage and flags", async () => {
    const runs = [];
    for (const { name } of COMMANDS.filter((command) => command.name !== "bead")) {
      const line = `${name} --help`;
      runs.push({ line, ...(await runTown(new FakeTown(), line)) });
    }
    await expect(transcript(runs)).toMatchFileSnapshot("../golden/cli/help-commands.txt");
    expect(runs.every(({ code, err }) => code === 0 && err === "")).toBe(true);
  });

  it("given each command, when asked with `help COMMAND`, then it prints the same, examples and all", async () => {
    for (const name of ["get", "mail send", "scale", "up"]) {
      const [direct, asked] = [
        await runTown(new FakeTown(), `${name} --help`),
        await runTown(new FakeTown(), `help ${name}`),
      ];
      expect(asked.out).toBe(direct.out);
    }
    expect((await runTown(new FakeTown(), "help up")).out).toContain("Examples:");
  });

  it("given --version, when asked, then the command says its own, as `version --client` does", async () => {
    const { out } = await runTown(new FakeTown(), "version --client");
    for (const flag of ["--version", "-V", "-v"]) expect((await runTown(new FakeTown(), flag)).out).toBe(out);
    expect(out).toMatch(/^town /);
  });

  it("given the topics, when asked, then they are printed and name every exit code", async () => {
    const { out } = await runTown(new FakeTown(), "help exit-codes");
    for (const [code, meaning] of EXIT_MEANINGS) expect(out).toContain(`${code}  ${meaning}`);
    const environment = await runTown(new FakeTown(), "help environment");
    await expect(out + environment.out).toMatchFileSnapshot("../golden/cli/help-topics.txt");
  });

  it("given a daemon that serves few verbs, when listing commands, then those of others are left out", async () => {
    const town = new FakeTown();
    town.verbs.set("prime", () => ({ body: { text: "" } }));
    const { out } = await runTown(town, "help");
    expect(out).toMatch(/^ {2}prime /m);
    expect(out).not.toMatch(/^ {2}sling /m);
    expect(out).toMatch(/^ {2}get /m);
  });

  it("given the rows, when looked at, then no name or flag is declared twice and every command has a summary", () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, flags, summary } of COMMANDS) {
      const given = flags.flatMap((flag) => [
        `--${flag.name}`,
        ...(flag.short === undefined ? [] : [`-${flag.short}`]),
      ]);
      expect(new Set(given).size, name).toBe(given.length);
      expect(summary).not.toMatch(/^[A-Z]|\.$/);
      expect(given, name).not.toContain("-C");
    }
  });
});

describe("command lines", () => {
  const rows: readonly { readonly line: string; readonly asked: readonly string[]; readonly because: string }[] = [
    {
      line: "get pools -ojson",
      asked: ["GET /apis/town.dev/v1alpha1/agentpools"],
      because: "a value may stand right behind a short flag",
    },
    {
      line: "get pools -o=json",
      asked: ["GET /apis/town.dev/v1alpha1/agentpools"],
      because: "kubectl takes -o=json, commander would hand over =json",
    },
    {
      line: "get pools --output=json",
      asked: ["GET /apis/town.dev/v1alpha1/agentpools"],
      because: "the long form takes =",
    },
    {
      line: "get pools -nweb",
      asked: ["GET /apis/town.dev/v1alpha1/namespaces/web/agentpools"],
      because: "-nNS is -n NS",
    },
    {
      line: "get pools --rig web",
      asked: ["GET /apis/town.dev/v1alpha1/namespaces/web/agentpools"],
      because: "--rig is --namespace",
    },
    {
      line: "get -n web pools",
      asked: ["GET /apis/town.dev/v1alpha1/namespaces/web/agentpools"],
      because: "flags may stand before the type",
    },
    { line: "get pools -n web -A", asked: ["GET /apis/town.dev/v1alpha1/agentpools"], because: "-A overrules -n" },
    {
      line: "get pools -l team=core,town.dev/tier=one",
      asked: ["GET /apis/town.dev/v1alpha1/agentpools?labelSelector=team=core,town.dev/tier=one"],
      because: "selectors go to the server",
    },
    {
      line: "get pools --no-headers=false",
      asked: ["GET /apis/town.dev/v1alpha1/agentpools"],
      because: "a boolean flag may be given as =false",
    },
    { line: "get POOLS", asked: ["GET /apis/town.dev/v1alpha1/agentpools"], because: "types are named in any case" },
    { line: "get AgentPool", asked: ["GET /apis/town.dev/v1alpha1/agentpools"], because: "a kind names its type" },
    {
      line: "get agentpool.town.dev",
      asked: ["GET /apis/town.dev/v1alpha1/agentpools"],
      because: "a group may follow",
    },
    {
      line: "get agentpools.v1alpha1.town.dev/crew -n api",
      asked: ["GET /apis/town.dev/v1alpha1/namespaces/api/agentpools/crew"],
      because: "a version, too",
    },
    {
      line: "delete --dry-run pool crew -n api",
      asked: [
        "GET /apis/town.dev/v1alpha1/namespaces/api/agentpools/crew",
        "DELETE /apis/town.dev/v1alpha1/namespaces/api/agentpools/crew?dryRun=All",
      ],
      because: "--dry-run takes a value only behind =",
    },
    {
      line: "delete pool crew -n api --wait=false --dry-run",
      asked: [
        "GET /apis/town.dev/v1alpha1/namespaces/api/agentpools/crew",
        "DELETE /apis/town.dev/v1alpha1/namespaces/api/agentpools/crew?dryRun=All",
      ],
      because: "a default of true is taken back with =false",
    },
  ];

  for (const { line, asked, because } of rows) {
    it(`given \`town ${line}\`, when run, then it asks for that: ${because}`, async () => {
      const town = sampleTown();
      const { err, code } = await runTown(town, line);
      expect({ err, code, asked: town.asked }).toEqual({ err: "", code: 0, asked });
    });
  }

  it("given -C anywhere before --, when run, then that town is meant", async () => {
    for (const line of [
      "-C /t get pools",
      "get -C /t pools",
      "get pools -C /t",
      "get pools --town=/t",
      "--town /t get pools",
      "get pools --town /t",
    ]) {
      const asked: (string | undefined)[] = [];
      const { code } = await runTown(sampleTown(), line, {}, (town) => void asked.push(town));
      expect({ line, code, asked: [...new Set(asked)] }).toEqual({ line, code: 0, asked: ["/t"] });
    }
    expect(await runTown(sampleTown(), "get pools -C")).toMatchObject({ code: 2 });
  });

  it("given typing errors, when run, then each suggests the word meant and exits 2", async () => {
    const lines = [
      "gte pools",
      "get pools --wathc",
      "mail sned x",
      "mq",
      "scale pool crew --replicas many",
      "delete pool crew --cascade sideways",
      "get pools -o",
      "frobnicate",
      "done surplus",
      "help nothing",
      "help gte",
      "help exit-code",
    ];
    const runs = [];
    for (const line of lines) runs.push({ line, ...(await runTown(sampleTown(), line)) });
    await expect(transcript(runs)).toMatchFileSnapshot("../golden/cli/usage-errors.txt");
    expect(runs.map(({ code }) => code)).toEqual(lines.map(() => 2));
  });
});
