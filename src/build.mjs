// Builds the package: daemon by tsc (dist/), command line as two bundles (dist/bin/), assets beside the code that serves
// them. `node src/build.mjs`; exit 1 when a source does not type-check or bundle.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const src = join(root, "src");
const dist = join(root, "dist");
const buildInfo = join(root, "node_modules", ".cache", "town", "src.tsbuildinfo");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Modules that few commands use, and that cost each start a millisecond or two. */
const heavy =
  /^(node:(child_process|crypto|fs\/promises|zlib|net|stream|http|os|perf_hooks|timers\/promises|tty)|chokidar)$/;

const bundling = bundleCommandLine();
const failures = [compileDaemon(), await bundling];
copyAssets();
process.exitCode = failures.some(Boolean) ? 1 : 0;

/** tsc keeps what it knows under node_modules/.cache; that is dropped when dist/ lost a file, which tsc would not notice. */
function compileDaemon() {
  mkdirSync(dirname(buildInfo), { recursive: true });
  const sources = filesBelow(src).filter((path) => path.endsWith(".ts"));
  removeStale(new Set(sources.map(outputOf)));
  if (sources.some((path) => !existsSync(outputOf(path)))) rmSync(buildInfo, { force: true });
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "-p", src, "--incremental", "--tsBuildInfoFile", buildInfo];
  return spawnSync(process.execPath, args, { stdio: "inherit", cwd: root }).status !== 0;
}

function outputOf(path) {
  return join(dist, relative(src, path)).replace(/\.ts$/, ".js");
}

/** A module whose source is gone must not be importable any more. */
function removeStale(outputs) {
  if (!existsSync(dist)) return;
  for (const path of filesBelow(dist)) {
    const isModule = path.endsWith(".js") || path.endsWith(".js.map");
    if (isModule && !outputs.has(path.replace(/\.map$/, "")) && !existsSync(join(src, relative(dist, path))))
      rmSync(path);
  }
}

/** The hot bundle holds what must start at once; it requires the other one for everything else. */
async function bundleCommandLine() {
  const bin = join(dist, "bin");
  const shared = {
    bundle: true,
    platform: "node",
    target: "node20.19",
    format: "cjs",
    minify: true,
    legalComments: "none",
    plugins: [loadedWhenUsed()],
    define: { __TOWN_VERSION__: JSON.stringify(version) },
    logLevel: "warning",
  };
  try {
    await build({
      ...shared,
      entryPoints: [join(src, "cli", "hot.ts")],
      outfile: join(bin, "town.cjs"),
      banner: { js: "#!/usr/bin/env node" },
    });
    await build({ ...shared, entryPoints: [join(src, "cli", "full.ts")], outfile: join(bin, "town-full.cjs") });
    await build({
      ...shared,
      entryPoints: [join(src, "offline.ts")],
      outfile: join(bin, "town-offline.cjs"),
      // Where the code believes to be: beside the modules that it loads from there.
      define: { ...shared.define, "import.meta.url": "__offlineUrl" },
      banner: {
        js: 'const __offlineUrl=require("node:url").pathToFileURL(require("node:path").join(__dirname,"..","offline.js")).href;',
      },
      plugins: [...shared.plugins, rarelyNeeded()],
    });
    wrap(join(bin, "town-offline.cjs"));
    nameBuild(join(bin, "town-offline.cjs"));
  } catch (error) {
    console.error(String(error));
    return true;
  }
  writeProgram(join(bin, "kubectl-town.cjs"), `require("./town.cjs");\n`);
  // Put on the PATH of agents' sessions only, so that a person's own `bd` is never shadowed. Files without extension are
  // modules in this package unless their directory says otherwise.
  writeProgram(join(dist, "agent-bin", "town"), `require("../bin/town.cjs");\n`);
  writeProgram(join(dist, "agent-bin", "bd"), `process.argv.splice(2, 0, "bd");\nrequire("../bin/town.cjs");\n`);
  writeFileSync(join(dist, "agent-bin", "package.json"), `{ "type": "commonjs" }\n`);
  writeGitHooks();
  chmodSync(join(bin, "town.cjs"), 0o755);
  return false;
}

/**
 * Puts in their place what loads them when something of them is first looked at. esbuild reads imported names as properties
 * of an object that inherits from what is exported here.
 */
function loadedWhenUsed() {
  const namespace = "loaded-when-used";
  const setup = (bundle) => {
    bundle.onResolve({ filter: heavy }, (args) => {
      if (args.pluginData === namespace || args.kind === "dynamic-import") return undefined;
      if (args.namespace === namespace)
        return args.path.startsWith("node:")
          ? { path: args.path, external: true }
          : bundle.resolve(args.path, { resolveDir: src, kind: args.kind, pluginData: namespace });
      return { path: args.path, namespace };
    });
    bundle.onLoad({ filter: heavy, namespace }, ({ path }) => ({
      contents: `module.exports = Object.create(new Proxy({}, { get: (_, name) => require("${path}")[name] }));`,
      loader: "js",
      resolveDir: src,
    }));
  };
  return { name: namespace, setup };
}

/**
 * In the offline bundle is what `town bd` needs, since a hundred modules would cost it as much time as all of its work. The
 * other verbs, with the parsers they bring, stay modules of their own.
 */
function rarelyNeeded() {
  const setup = (bundle) =>
    bundle.onResolve({ filter: /^\.\/daemon\// }, ({ path, kind }) =>
      kind === "dynamic-import" && !path.includes("/offline-bd.")
        ? { path: `../${path.slice(2).replace(/\.ts$/, ".js")}`, external: true }
        : undefined,
    );
  return { name: "rarely-needed", setup };
}

/**
 * The function of a module that src/cli/load-bundle.ts runs. Modules beside it are imported by who runs it: compiled code
 * cannot do so itself.
 */
function wrap(path) {
  const code = readFileSync(path, "utf8").replaceAll(/\bimport\((?="\.\.\/)/g, "module.importBeside(");
  if (/\bimport\(/.test(code)) throw new Error(`${path} imports what is not beside it`);
  writeFileSync(path, `(function(exports,require,module,__filename,__dirname){${code}\n})\n`);
}

/** Behind a bundle: what compiled code is kept under. */
function nameBuild(path) {
  const hash = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
  appendFileSync(path, `//# town ${hash}\n`);
}

/** The hooks that git runs in a client's repository (githooks(5)), all the same script. */
function writeGitHooks() {
  const directory = join(dist, "agent-hooks");
  mkdirSync(directory, { recursive: true });
  const names =
    "applypatch-msg pre-applypatch post-applypatch pre-commit pre-merge-commit prepare-commit-msg commit-msg post-commit " +
    "pre-rebase post-checkout post-merge pre-push post-rewrite pre-auto-gc reference-transaction";
  for (const name of names.split(" ")) {
    copyFileSync(join(src, "agent-hooks", "hook.sh"), join(directory, name));
    chmodSync(join(directory, name), 0o755);
  }
}

function writeProgram(path, body) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/usr/bin/env node\n${body}`);
  chmodSync(path, 0o755);
}

/** Every file below src that is neither code nor documentation nor configuration. */
function copyAssets() {
  for (const path of filesBelow(src)) {
    const isAsset = ![".ts", ".md", ".mjs"].includes(extname(path)) && path !== join(src, "tsconfig.json");
    if (!isAsset) continue;
    const target = join(dist, relative(src, path));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(path, target);
  }
}

function filesBelow(directory) {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}
