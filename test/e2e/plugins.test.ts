import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TownProcess } from "./town-process.ts";

interface Shown {
  readonly runs: number;
  readonly result?: string;
  readonly targets: readonly { readonly message?: string }[];
}

describe("plugins, with the built program", () => {
  let town: TownProcess;

  beforeEach(() => {
    town = new TownProcess();
    town.initWithoutWork();
  });

  afterEach(() => town.end());

  const status = (name: string) => town.object("plugin", "sample", name)?.status as Shown | undefined;
  const isRigReady = (): boolean =>
    town
      .object("rig", undefined, "sample")
      ?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
  const plugin = (name: string, spec: string): void => town.declare("Plugin", `sample/${name}`, spec);

  it("given a program with a permission, when somebody asks for it, then it files a bead as itself, and may do no more", async () => {
    const script =
      'git log -1 --format=%s && bd create "Found by $TOWN_PLUGIN" && ! town scale agentpool/crew --replicas 0';
    plugin(
      "scan",
      `{ gate: { manual: true }, permissions: [CreateBeads], run: { exec: [sh, -c, ${JSON.stringify(script)}] } }`,
    );
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("the plugin is seen", () => status("scan") !== undefined);
    await town.until("its rig is ready", isRigReady);
    expect(town.run("plugin", "run", "scan")).toMatchObject({ status: 0 });
    await town.until("it has run", () => status("scan")?.result !== undefined);
    expect(status("scan")).toMatchObject({ runs: 1, result: "Succeeded", targets: [{ namespace: "sample" }] });
    const beads = town.json("get", "beads", "-n", "sample") as {
      items: { spec: { title: string }; status: { createdBy: string } }[];
    };
    const found = beads.items.find(({ spec }) => spec.title === "Found by scan");
    expect(found?.status.createdBy).toBe("sample/plugins/scan");
  });

  it("given work for an agent, when it is due, then the agent does it, what it commits is merged, and that is the run's end", async () => {
    const prompt = "Note the date.\\n\\n```sh\\necho noted > NOTED.txt\\n```\\n";
    plugin("note", `{ gate: { manual: true }, role: crew, run: { prompt: "${prompt}" } }`);
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("the plugin is seen", () => status("note") !== undefined);
    await town.until("its rig is ready", isRigReady);
    expect(town.run("plugin", "run", "sample/note")).toMatchObject({ status: 0 });
    await town.until("it has run", () => status("note")?.result !== undefined);
    expect(status("note")).toMatchObject({ runs: 1, result: "Succeeded" });
    expect(status("note")?.targets[0]?.message).toMatch(/^Merged in [0-9a-f]+/);
    expect(
      town.git(`${town.directory}/.git/town/rigs/sample.git`, "log", "-1", "--format=%s", "origin/main"),
    ).toContain("Plugin note");
  });
});
