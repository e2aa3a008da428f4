import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { screenState } from "../../../src/domain/agent-program/screen-state.ts";
import { DOORBELL } from "../../../src/domain/agent-program/town-prompts.ts";
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

  it.each([
    ["claude", "You've hit your session limit · resets 3pm (UTC)", "2026-11-22T15:00:00Z"],
    ["claude", "You've hit your limit · resets 3:10pm (Europe/Dublin)", "2026-11-22T15:10:00Z"],
    ["claude", "You've hit your weekly limit · resets Nov 25, 1pm (UTC)", "2026-11-25T13:00:00Z"],
    [
      "codex",
      "■ You've hit your usage limit. Upgrade to Pro (https://openai.com/chatgpt/pricing) or try again in 3 hours 2\nminutes.",
      "2026-11-22T15:02:00Z",
    ],
    [
      "codex",
      "■ You’ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit\nhttps://chatgpt.com/codex/settings/usage to purchase more credits or try again at 2:51 PM (UTC).",
      "2026-11-22T14:51:00Z",
    ],
    [
      "codex",
      "■ You've hit your usage limit. Visit https://chatgpt.com/codex/settings/usage to purchase more credits or try again at Nov\n28th, 2026 2:14 AM (UTC).",
      "2026-11-28T02:14:00Z",
    ],
  ])("given %s, which says %s, when judged, then that is when the limit ends", (provider, text, until) => {
    const prompt = provider === "claude" ? "❯ " : "› ";
    expect(screenState(signs(provider), `${text}\n\n${prompt}\n`, undefined, NOW)).toEqual({
      state: "RateLimited",
      resetAtMs: Date.parse(until),
    });
  });

  it("given a span on a screen that was printed a while ago, when judged, then it counts from there", () => {
    const text = "■ You've hit your usage limit. Try again in 3 hours.\n\n› \n";
    const printedMs = NOW - 2 * 3_600_000;
    expect(screenState(signs("codex"), text, undefined, NOW, printedMs)).toMatchObject({
      resetAtMs: NOW + 3_600_000,
    });
    expect(screenState(signs("codex"), text, undefined, printedMs + 3 * 3_600_000, printedMs).state).toBe("Idle");
  });

  it("given a limit above the town's last prompt, when judged, then it is talk of a former one", () => {
    const again = `You've hit your limit · resets 3pm (UTC)\n\n❯ ${DOORBELL}\n\n● I go on.\n\n❯ \n`;
    expect(screenState(claude, again, idleTitle, NOW).state).toBe("Idle");
    expect(
      screenState(claude, `${again}● You've hit your limit · resets 4pm (UTC)\n\n❯ \n`, idleTitle, NOW),
    ).toMatchObject({
      state: "RateLimited",
      resetAtMs: NOW + 4 * 3_600_000,
      isAnswer: true,
    });
  });

  it("given the menu that Claude Code opens at a limit, when judged, then it needs no person, before and after the limit's end", () => {
    const menu = [
      "  ⎿  You've hit your session limit · resets 12:10pm (UTC)",
      "     /rate-limit-options",
      "What do you want to do?",
      "❯ 1. Stop and wait for limit to reset",
      "  2. Add funds to continue with extra usage",
      "  3. Upgrade your plan",
      "Enter to confirm · Esc to cancel",
    ].join("\n");
    const expected = { state: "RateLimited", resetAtMs: NOW + 600_000, menu: true };
    expect(screenState(claude, menu, idleTitle, NOW)).toEqual(expected);
    expect(screenState(claude, menu, idleTitle, NOW + 3_600_000)).toEqual(expected);
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
