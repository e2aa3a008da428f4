import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/command-rows.ts";
import { openApi } from "../../src/cli/connection/open-api.ts";
import { servedVerbs } from "../../src/cli/verbs/call-verb.ts";
import { TownProcess } from "./town-process.ts";

describe("the commands", () => {
  const town = new TownProcess();
  beforeAll(() => {
    expect(town.init()).toMatchObject({ status: 0 });
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
  });
  afterAll(() => town.end());

  it("given a running town, then it serves every verb that a command calls", async () => {
    const api = openApi({ cwd: town.directory, env: town.env, townOption: undefined }, "town/test");
    const served = await servedVerbs(api);
    const called = COMMANDS.flatMap((command) => command.servedBy ?? []);
    expect(called.length).toBeGreaterThan(30);
    expect(called.filter((verb) => !served.includes(verb))).toEqual([]);
  });
});
