import { defineConfig } from "vitest/config";

const integration = ["test/**/*.integration.test.ts"];
/** Properties that are tried more often take longer. */
const patience = Number(process.env["FUZZ"] ?? 1);
const e2e = ["test/e2e/**/*.test.ts"];

export default defineConfig({
  test: {
    root: ".",
    reporters: process.env["CI"]
      ? ["dot", "./test/closing-line-reporter.ts"]
      : ["default", "./test/closing-line-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          root: ".",
          include: ["test/**/*.test.ts"],
          exclude: [...integration, ...e2e],
          // Against hanging only: a loaded machine may take many times as long as usual.
          testTimeout: 400_000 * patience,
        },
      },
      {
        test: {
          name: "integration",
          root: ".",
          include: integration,
          // Against hanging only, as below.
          testTimeout: 300_000 * patience,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 60_000 } },
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "e2e",
          root: ".",
          include: e2e,
          // Against hanging only: each wait in them has a limit of its own, and says what it waited for.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // Each has a town, a home and a tmux server of its own; they wait more than they work.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
