import fc from "fast-check";

/** `FUZZ=N`: every property is tried N times as often, with values of its own each time (`npm run fuzz`). */
const fuzz = process.env["FUZZ"];

/** The same values at every run of CI, so that it judges the change at hand; by hand, other ones each time. */
const CI_SEED = 20_260_101;

fc.configureGlobal({
  numRuns: fuzzRuns(100),
  ...(process.env["CI"] === "true" && fuzz === undefined ? { seed: CI_SEED } : {}),
});

/** How often to try a property that is tried `usual` times in an ordinary run. */
export function fuzzRuns(usual: number): number {
  return usual * Number(fuzz ?? 1);
}

export { fc };
