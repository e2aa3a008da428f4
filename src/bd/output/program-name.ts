/**
 * Commands in our own words as the reader can run them: `bd` is on the PATH of agents' sessions only, where it may be
 * somebody else's program for people.
 */
export function runnable(text: string, program: string): string {
  return program === "bd" ? text : text.replace(/(?<!town)(^|[\s`(:|'])bd (?=[a-z])/g, `$1${program} `);
}
