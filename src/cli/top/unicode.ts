import type { Environment } from "../context.ts";

/** The locale says that the terminal takes UTF-8 (POSIX: the first of these that is set decides). */
export function showsUnicode(env: Environment): boolean {
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "");
  return locale === undefined || /utf-?8/i.test(locale);
}
