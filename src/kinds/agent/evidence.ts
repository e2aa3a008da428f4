const LONGEST_OUTPUT = 8_000;

/** The end of an output, without what would act on a terminal. */
export function kept(output: string): string {
  return output
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .trimEnd()
    .slice(-LONGEST_OUTPUT);
}
