import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

/** A bundle that was run, and a way to make it start faster the next time. */
export interface LoadedBundle<T> {
  readonly exports: T;
  /** Keeps the machine code of what ran so far, once for each build of the bundle; call it when the work is done. */
  keepCode(this: void): void;
}

type ModuleWrapper = (
  exports: object,
  require: NodeJS.Require,
  module: BundleModule,
  filename: string,
  directory: string,
) => void;

interface BundleModule {
  exports: object;
  /** Imports a module by its path from the bundle: compiled code cannot without a feature of Node that is experimental. */
  readonly importBeside: (specifier: string) => Promise<unknown>;
}

/**
 * Runs a bundle as `require` would, with what V8 compiled the last time, since compiling costs as much as most commands do.
 * The build has put the function that `require` would make of a CommonJS module around it: doing it here would copy it all. The code lies in the user's cache directory, named by the hash that the build put behind the bundle; V8
 * refuses what another version of it made. Without such a directory, or when it cannot be read, everything works as well,
 * only slower.
 */
export function loadBundle<T>(path: string, env: Readonly<Record<string, string | undefined>>): LoadedBundle<T> {
  const source = readFileSync(path, "utf8");
  const cache = codePath(path, source, env);
  const cachedData = cache === undefined ? undefined : readOrNothing(cache);
  const script = new Script(source, {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const module: BundleModule = {
    exports: {},
    importBeside: (specifier) => import(pathToFileURL(join(dirname(path), specifier)).href),
  };
  const run = script.runInThisContext() as ModuleWrapper;
  run(module.exports, createRequire(path), module, path, dirname(path));
  const isNew = cachedData === undefined || script.cachedDataRejected === true;
  return {
    exports: module.exports as T,
    keepCode: () => {
      if (cache !== undefined && isNew) keep(cache, script.createCachedData());
    },
  };
}

const hashLine = /\/\/# town ([0-9a-f]{16})\s*$/;

function codePath(path: string, source: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_CACHE_HOME: given, HOME: home } = env;
  const base =
    given !== undefined && given.startsWith("/") ? given : home === undefined ? undefined : join(home, ".cache");
  const hash = hashLine.exec(source.slice(-64))?.[1];
  if (base === undefined || hash === undefined) return undefined;
  return join(base, "town", "code", `${basename(path, ".cjs")}-${hash}-${process.version}-${process.arch}.bin`);
}

function readOrNothing(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** As a whole or not at all; those of other builds of the bundle go. */
function keep(path: string, code: Buffer): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, code, { mode: 0o600, flag: "wx" });
    renameSync(temporary, path);
    const bundle = /^(.*)-[0-9a-f]{16}-/.exec(basename(path))?.[1] ?? "";
    for (const name of readdirSync(dirname(path)))
      if (name.startsWith(`${bundle}-`) && name !== basename(path)) rmSync(join(dirname(path), name), { force: true });
  } catch {
    // A home that cannot be written costs time, nothing else.
    removeQuietly(temporary);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It was not even made.
  }
}
