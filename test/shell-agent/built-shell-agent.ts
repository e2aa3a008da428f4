import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";

/** Builds the shell agent before the tests of this file and removes it after them; answers with where it is by then. */
export function builtShellAgent(): () => string {
  let directory: string;
  const program = (): string => join(directory, "main.mjs");
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "town-shell-agent-build-"));
    await build({
      entryPoints: ["src/shell-agent/main.ts"],
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      outfile: program(),
    });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return program;
}
