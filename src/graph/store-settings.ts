import { TownError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";

/** bd's key-value settings of a store, beside its log: they are of this machine, not of the branch. */
export type StoreSettings = Readonly<Record<string, string>>;

const settingsFormat = 1;

/** `settings`: path of the file. None when there is no file. Throws TownError `SettingsUnreadable`. */
export async function readSettings(files: Files, settings: string): Promise<StoreSettings> {
  const text = await files.readText(settings);
  if (text === undefined) return {};
  const unreadable = (why: string): TownError =>
    new TownError("SettingsUnreadable", `cannot read the settings ${settings}: ${why}`, {
      hint: "correct the file, or remove it to have the defaults",
    });
  let value: { readonly format?: unknown; readonly settings?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw unreadable("it is no JSON");
  }
  if (typeof value.format !== "number" || value.format > settingsFormat)
    throw unreadable("a later version of town wrote it");
  const entries = Object.entries((value.settings ?? {}) as Readonly<Record<string, unknown>>);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/** Applies a change to the settings as they are on disk now; undefined removes a key. Returns what they are then. */
export async function changeSettings(
  files: Files,
  settings: string,
  change: Readonly<Record<string, string | undefined>>,
): Promise<StoreSettings> {
  const entries = Object.entries({ ...(await readSettings(files, settings)), ...change });
  const next = Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  await files.makeDirectory(settings.slice(0, settings.lastIndexOf("/")), { mode: 0o700 });
  await files.writeAtomic(settings, `${JSON.stringify({ format: settingsFormat, settings: next }, undefined, 2)}\n`);
  return next;
}
