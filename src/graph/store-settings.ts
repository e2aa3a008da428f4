import type { SharedSetting, SharedSettings } from "../domain/work-graph/merge/merge-settings.ts";
import { mergeSettings } from "../domain/work-graph/merge/merge-settings.ts";
import { TownError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import { parseSettings, settingsText } from "./settings-file.ts";

/** bd's key-value settings of a store, memories among them. */
export type SettingValues = Readonly<Record<string, string>>;

/** What only makes sense on this machine never reaches the branch. */
const machineKeys: ReadonlySet<string> = new Set(["sync.remote"]);

const settingsFormat = 1;

interface SettingsOnDisk {
  readonly format: number;
  readonly settings: SettingValues;
  /** When the shared ones were set. */
  readonly times?: SettingValues;
  /** The settings file of the branch as this store last wrote or read it; `""`: there was none. */
  readonly onBranch?: string;
}

/**
 * Settings and memories of a store. A change is on disk beside the log when it is acknowledged; with the next flush all but
 * those of this machine are on the branch, and travel with it.
 */
export class StoreSettings {
  readonly #files: Files;
  readonly #path: string;
  /** False: what is taken in stays in memory. */
  readonly #writes: boolean;
  #state: SettingsOnDisk;
  #unreadable: TownError | undefined;

  private constructor(files: Files, path: string, writes: boolean, read: SettingsOnDisk | TownError) {
    this.#files = files;
    this.#path = path;
    this.#writes = writes;
    this.#unreadable = read instanceof TownError ? read : undefined;
    this.#state = read instanceof TownError ? { format: settingsFormat, settings: {} } : read;
  }

  /** `path`: the file beside the log. A file that cannot be read is left alone, and asking for settings says why. */
  static async open(files: Files, path: string, options: { readonly writes: boolean }): Promise<StoreSettings> {
    return new StoreSettings(files, path, options.writes, parseFile(path, await files.readText(path)));
  }

  /** Throws TownError `SettingsUnreadable`. */
  get values(): SettingValues {
    if (this.#unreadable !== undefined) throw this.#unreadable;
    return this.#state.settings;
  }

  /** Nobody has looked yet what the branch has. */
  get isNewToBranch(): boolean {
    return this.#unreadable === undefined && this.#state.onBranch === undefined;
  }

  /** The branch is to be told. */
  get isDirty(): boolean {
    return this.#unreadable === undefined && (this.text ?? "") !== (this.#state.onBranch ?? "");
  }

  /** The file of the branch as it should be; undefined: there should be none. */
  get text(): string | undefined {
    return settingsText(this.#shared());
  }

  /** Sets keys, or removes those that are undefined. Durable when it resolves. Throws TownError `SettingsUnreadable`. */
  async change(change: Readonly<Record<string, string | undefined>>, stamp: string): Promise<void> {
    if (this.#unreadable !== undefined) throw this.#unreadable;
    const settings: Record<string, string> = { ...this.#state.settings };
    const times: Record<string, string> = { ...this.#state.times };
    for (const [key, value] of Object.entries(change)) {
      delete settings[key];
      delete times[key];
      if (value === undefined) continue;
      settings[key] = value;
      if (!machineKeys.has(key)) times[key] = stamp;
    }
    await this.#write({ ...this.#state, settings: sorted(settings), times: sorted(times) });
  }

  /** Takes in the file that the branch has; `base`: what both sides had before. */
  async takeIn(base: SharedSettings, file: string): Promise<void> {
    if (this.#unreadable !== undefined) return;
    const merged = mergeSettings(base, this.#shared(), parseSettings(file).settings);
    const machine = Object.entries(this.#state.settings).filter(([key]) => machineKeys.has(key));
    const shared = [...merged].filter(([key]) => !machineKeys.has(key));
    const times = shared.flatMap(([key, { updated_at: at }]) => (at === undefined ? [] : [[key, at] as const]));
    await this.#write({
      format: settingsFormat,
      settings: sorted(Object.fromEntries([...machine, ...shared.map(([key, { value }]) => [key, value] as const)])),
      times: sorted(Object.fromEntries(times)),
      onBranch: file,
    });
  }

  /** The branch has this file now. */
  async flushed(text: string | undefined): Promise<void> {
    if (this.#unreadable === undefined && this.#state.onBranch !== (text ?? ""))
      await this.#write({ ...this.#state, onBranch: text ?? "" });
  }

  #shared(): SharedSettings {
    const { settings, times = {} } = this.#state;
    const shared = Object.entries(settings).filter(([key]) => !machineKeys.has(key));
    return new Map(
      shared.map(([key, value]): [string, SharedSetting] => {
        const at = times[key];
        return [key, at === undefined ? { value } : { value, updated_at: at }];
      }),
    );
  }

  async #write(state: SettingsOnDisk): Promise<void> {
    if (this.#writes) {
      await this.#files.makeDirectory(this.#path.slice(0, this.#path.lastIndexOf("/")), { mode: 0o700 });
      await this.#files.writeAtomic(this.#path, `${JSON.stringify(state, undefined, 2)}\n`);
    }
    this.#state = state;
  }
}

function parseFile(path: string, text: string | undefined): SettingsOnDisk | TownError {
  if (text === undefined) return { format: settingsFormat, settings: {} };
  const unreadable = (why: string): TownError =>
    new TownError("SettingsUnreadable", `cannot read the settings ${path}: ${why}`, {
      hint: "correct the file, or remove it to have those of the branch",
    });
  let value: { readonly [key in keyof SettingsOnDisk]?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return unreadable("it is no JSON");
  }
  if (typeof value.format !== "number" || value.format > settingsFormat)
    return unreadable("a later version of town wrote it");
  return {
    format: settingsFormat,
    settings: texts(value.settings),
    times: texts(value.times),
    ...(typeof value.onBranch === "string" ? { onBranch: value.onBranch } : {}),
  };
}

function texts(value: unknown): SettingValues {
  const entries = Object.entries((value ?? {}) as Readonly<Record<string, unknown>>);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function sorted(values: Readonly<Record<string, string>>): SettingValues {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
