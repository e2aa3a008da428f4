import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { screenState } from "../../../src/domain/agent-program/screen-state.ts";
import { type ProviderSpec, providerSpec } from "../../../src/kinds/provider/provider.schema.ts";

const screens = fileURLToPath(new URL("screens/", import.meta.url));
const manifests = fileURLToPath(new URL("../../../manifests/builtin/providers/", import.meta.url));
const NOW = Date.parse("2026-11-22T12:00:00Z");

function signs(provider: string): ProviderSpec {
  return providerSpec.parse((parse(readFileSync(`${manifests}${provider}.yaml`, "utf8")) as { spec: unknown }).spec);
}

/** A captured screen: the first line is the title of the terminal. */
function capture(name: string): readonly [screen: string, title: string] {
  const [first = "", ...rows] = readFileSync(`${screens}${name}.txt`, "utf8").split("\n");
  return [rows.join("\n"), first.replace(/^title: /, "")];
}

const EXPECTED: Readonly<Record<string, string>> = {
  "claude-idle": "Idle",
  "claude-parent-trust": "Idle",
  "claude-busy": "Busy",
  "claude-permission": "DialogOpen",
  "claude-trust": "DialogOpen",
  "claude-bypass": "DialogOpen",
  "claude-key": "DialogOpen",
  "claude-login": "AuthRequired",
  "claude-onboarding-offline": "Unknown",
  "codex-idle": "Idle",
  "codex-busy": "Busy",
  "codex-permission": "Idle",
  "codex-trust": "DialogOpen",
  "codex-hook-review": "DialogOpen",
  "codex-login": "AuthRequired",
  "codex-unauthorized": "AuthRequired",
  "codex-retry-limit": "RateLimited",
  "gemini-idle": "Idle",
  "gemini-busy": "Busy",
  "gemini-permission": "DialogOpen",
  "gemini-trust": "DialogOpen",
  "gemini-login": "AuthRequired",
  "opencode-idle": "Idle",
  "opencode-busy": "Busy",
};

describe("screenState on captured screens of real programs", () => {
  it.each(
    readdirSync(screens).map((file) => file.replace(/\.txt$/, "")),
  )("given %s, when judged, then it is known", (name) => {
    const [screen, title] = capture(name);
    expect(screenState(signs(name.split("-")[0] ?? ""), screen, title, NOW).state).toBe(EXPECTED[name]);
  });

  it("given every expectation, when the captures are listed, then none is missing", () => {
    expect(readdirSync(screens).map((file) => file.replace(/\.txt$/, ""))).toEqual(Object.keys(EXPECTED).toSorted());
  });
});

describe("screenState", () => {
  const claude = signs("claude");
  const [idle, idleTitle] = capture("claude-idle");
  const said = (line: string): string => idle.replace(/^❯/m, `● ${line}\n\n❯`);

  it("given a limit with a time, when it is not past, then it is RateLimited until then", () => {
    const screen = said("You've hit your session limit · resets 3pm (UTC)");
    expect(screenState(claude, screen, idleTitle, NOW)).toEqual({
      state: "RateLimited",
      resetAtMs: NOW + 3 * 3_600_000,
    });
    expect(screenState(claude, screen, idleTitle, NOW + 3 * 3_600_000 + 1)).toEqual({ state: "Idle" });
  });

  it("given a warning about a limit, when judged, then it is none", () => {
    expect(screenState(claude, said("Approaching usage limit · resets 3pm (UTC)"), idleTitle, NOW).state).toBe("Idle");
  });

  it("given a program at work that prints an error about limits, when judged, then it is Busy", () => {
    const [busy, title] = capture("claude-busy");
    const screen = busy.replace(/^❯ begin/m, "● You've hit your session limit · resets 3pm\n❯ begin");
    expect(screenState(claude, screen, title, NOW).state).toBe("Busy");
  });

  it("given talk that scrolled up, when judged, then only the last rows count", () => {
    const rows = Array.from({ length: 40 }, (_, row) => `line ${row}`).join("\n");
    expect(screenState(claude, `Not logged in · Please run /login\n${rows}\n❯ `, "✳ x", NOW).state).toBe("Idle");
  });

  it("given no signs at all, when judged, then nothing is concluded", () => {
    expect(screenState({ ready: {} }, "anything", "any title", NOW).state).toBe("Unknown");
  });

  it("given a pattern that is none, when judged, then it never matches", () => {
    expect(screenState({ ready: { screen: "(" } }, "(", undefined, NOW).state).toBe("Unknown");
  });

  it("given the shell agent at its prompt, when judged, then it is Idle, and while a script runs it is not", () => {
    expect(screenState(signs("shell"), "done\nshell-agent api/polecats/ash> ", "shell-agent idle", NOW).state).toBe(
      "Idle",
    );
    expect(screenState(signs("shell"), "shell-agent api/polecats/ash> \nrunning", "shell-agent idle", NOW).state).toBe(
      "Unknown",
    );
  });
});
