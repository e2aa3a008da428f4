import { LOCAL_FILE } from "../manifests/local-values.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { TownLayout } from "../ports/loop-ports.ts";
import type { FormulaFiles } from "./formula-files.ts";

/** Tells the source loop when a ref, a manifest or a host fact changes, and reads formulas anew when they do. */
export function watchTown(at: {
  readonly files: Files;
  readonly layout: TownLayout;
  readonly repository: Repository;
  readonly changed: (what: "Refs" | "Manifests" | "Locals") => void;
  readonly formulas: FormulaFiles;
  /** Told after formulas were read anew. */
  readonly formulasRead: () => void;
}): { close(): Promise<void> } {
  const { commonDirectory } = at.repository;
  const watches = [
    at.files.watch(
      [
        `${commonDirectory}/refs/heads`,
        `${commonDirectory}/refs/remotes`,
        `${commonDirectory}/packed-refs`,
        `${commonDirectory}/HEAD`,
      ],
      () => at.changed("Refs"),
    ),
    at.files.watch([`${at.layout.root}/manifests`], () => at.changed("Manifests")),
    at.files.watch([`${at.layout.root}/${LOCAL_FILE}`], () => at.changed("Locals")),
  ];
  const formulas = at.files.watch([`${at.layout.root}/formulas`], () => void at.formulas.load().then(at.formulasRead));
  return {
    async close() {
      for (const watch of watches) await watch.close();
      await formulas.close();
    },
  };
}
