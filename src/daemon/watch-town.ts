import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { TownLayout } from "../ports/loop-ports.ts";
import type { FormulaFiles } from "./formula-files.ts";

/** Pokes the source loop whenever a ref, a manifest or a host fact changes, and reads formulas anew when they do. */
export function watchTown(at: {
  readonly files: Files;
  readonly layout: TownLayout;
  readonly repository: Repository;
  readonly poke: () => void;
  readonly formulas: FormulaFiles;
  /** Told after formulas were read anew. */
  readonly formulasRead: () => void;
}): { close(): Promise<void> } {
  const { commonDirectory } = at.repository;
  const sources = at.files.watch(
    [
      `${commonDirectory}/refs/heads`,
      `${commonDirectory}/packed-refs`,
      `${commonDirectory}/HEAD`,
      `${at.layout.root}/manifests`,
      `${at.layout.root}/town.local.yaml`,
    ],
    at.poke,
  );
  const formulas = at.files.watch([`${at.layout.root}/formulas`], () => void at.formulas.load().then(at.formulasRead));
  return {
    async close() {
      await sources.close();
      await formulas.close();
    },
  };
}
