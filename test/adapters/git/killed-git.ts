import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RealSite } from "./git-site.ts";

/** Where the program is killed: at the first git call with that subcommand, before git runs, after, or after `sh` ran too. */
export interface KillPoint {
  readonly subcommand: string;
  readonly when: "before" | "after";
  readonly sh?: string;
}

/**
 * Runs statements (with `git`, a NodeGit, and `repository`, opened at `path`) in a process of their own whose git kills
 * it with SIGKILL at a point. Returns whether the point was reached.
 */
export function runKilled(site: RealSite, path: string, statements: string, point: KillPoint): boolean {
  const program = join(site.root, "killing-git");
  const reached = join(site.root, "reached");
  rmSync(reached, { force: true });
  // A lasting `update-ref --stdin` answers before it ends, so "after" is when it has said that it is done.
  const after = `${point.sh ?? ":"}; touch '${reached}'; kill -9 $PPID; exit`;
  const act =
    point.when === "before"
      ? `touch '${reached}'; kill -9 $PPID; exit 1`
      : `case "$sub" in update-ref) P=$PPID; git "$@" | while read -r line; do if [ "$line" = "commit: ok" ]; then touch '${reached}'; kill -9 $P; fi; echo "$line"; done; exit;; *) git "$@"; ${after};; esac`;
  writeFileSync(
    program,
    `#!/bin/sh
sub=
skip=
for arg in "$@"; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case $arg in -c) skip=1;; --*) ;; *) sub=$arg; break;; esac
done
if [ "$sub" = '${point.subcommand}' ] && [ ! -e '${reached}' ]; then ${act}; fi
exec git "$@"
`,
  );
  chmodSync(program, 0o755);
  const script = `
    import { NodeGit } from ${JSON.stringify(join(process.cwd(), "src/adapters/git/node-git.ts"))};
    const git = new NodeGit({ program: ${JSON.stringify(program)} });
    const repository = await git.open(${JSON.stringify(path)});
    const who = { name: "A", email: "a@x", timeMs: 1000000 };
    ${statements}`;
  const run = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    env: site.environment,
    encoding: "utf8",
    timeout: 120_000,
  });
  if (run.signal !== "SIGKILL" && existsSync(reached)) throw new Error(`not killed: ${run.stderr}`);
  if (run.signal !== "SIGKILL" && run.status !== 0) throw new Error(`failed: ${run.stderr}`);
  return existsSync(reached);
}
