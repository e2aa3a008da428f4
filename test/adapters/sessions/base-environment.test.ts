import { expect, test } from "vitest";
import { baseEnvironment } from "../../../src/adapters/sessions/base-environment.ts";

test("given a full environment, when the base is taken, then only what every program needs gets through", () => {
  const from = {
    PATH: "/p",
    HOME: "/h",
    LANG: "de_DE.UTF-8",
    TZ: "UTC",
    TMUX: "x",
    SSH_AUTH_SOCK: "x",
    AWS_SECRET: "x",
    NODE_OPTIONS: "x",
    GIT_DIR: "x",
    TMPDIR: "",
    USER: undefined,
  };
  expect(baseEnvironment(from)).toEqual({ PATH: "/p", HOME: "/h", LANG: "de_DE.UTF-8", TZ: "UTC", SHELL: "/bin/sh" });
});

test("given an empty environment, when the base is taken, then programs are found and text is UTF-8", () => {
  const base = baseEnvironment({});
  expect(base["PATH"]).toContain("/usr/bin");
  expect(base["LANG"]).toMatch(/UTF-8$/);
});

test("given LC_ALL alone, when the base is taken, then no LANG is made up", () => {
  expect(baseEnvironment({ LC_ALL: "C" })["LANG"]).toBeUndefined();
});
