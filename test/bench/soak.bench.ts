import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ChaosTown } from "../chaos/chaos-town.ts";
import { hasTmux } from "../e2e/town-process.ts";

// What stays behind while a town works: waves of WAVE beads for AGENTS agents, for SOAK_MINUTES. A row for each wave says
// what the controller holds (`live`: of the heap, after everything else was collected; `buffers`: outside of it) and what
// lies on disk; the last lines are what one landed bead costs, from the first third of the time (everything is warm by
// then) to the end. A night is thousands of beads: what grows with each must be next to nothing, and what grows with time
// alone must not be there. SNAPSHOTS=3,12 leaves heap snapshots after these waves in the directory for temporary files: from
// the first on V8 keeps an id of each object outside of its heap, so resident memory and CPU mean nothing any more.
const AGENTS = Number(process.env["AGENTS"] ?? 20);
const WAVE = Number(process.env["WAVE"] ?? 40);
const MINUTES = Number(process.env["SOAK_MINUTES"] ?? 10);
const WAVE_LIMIT_MS = 10 * 60_000;
const SNAPSHOTS = (process.env["SNAPSHOTS"] ?? "").split(",").filter(Boolean).map(Number);
/** Any that nobody else sends to a process without a terminal. */
const SNAPSHOT_SIGNAL = "SIGWINCH";

interface Sample {
  readonly minute: number;
  readonly landed: number;
  readonly cpuSeconds: number;
  readonly residentMiB: number;
  readonly liveMiB: number;
  readonly buffersMiB: number;
  readonly descriptors: number;
  readonly processes: number;
  readonly processesMiB: number;
  readonly stateMiB: number;
  readonly rigMiB: number;
  readonly rigFiles: number;
  readonly places: ReadonlyMap<string, Size>;
}

interface Size {
  readonly bytes: number;
  readonly files: number;
}

/** Where something may stay behind, by what the path of a file below the town's home begins with: the first that fits counts. */
const PLACES: readonly (readonly [string, RegExp])[] = [
  ["gate logs", /^town\/\.git\/town\/log\//],
  ["session logs", /^town\/\.git\/town\/sessions\/logs\//],
  ["session records", /^town\/\.git\/town\/(sessions|tokens)\//],
  ["status journal", /^town\/\.git\/town\/store\//],
  ["rig: loose objects", /^town\/\.git\/town\/rigs\/[^/]+\/objects\/..\//],
  ["rig: packs", /^town\/\.git\/town\/rigs\/[^/]+\/objects\//],
  ["rig: pinned heads", /^town\/\.git\/town\/rigs\/[^/]+\/refs\/town\/heads\//],
  ["rig: other refs, reflogs", /^town\/\.git\/town\/rigs\/[^/]+\/(refs|logs|packed-refs)/],
  ["rig: worktree records", /^town\/\.git\/town\/rigs\/[^/]+\/worktrees\//],
  ["rig: work graph's log, cache", /^town\/\.git\/town\/rigs\//],
  ["town: work graph's log, cache", /^town\/\.git\/town\//],
  ["town: git objects", /^town\/\.git\/objects\//],
  ["town: other of git", /^town\/\.git\//],
  ["sandboxes", /^town\/rigs\//],
  ["user's repository", /^project\/\.git\//],
];

function metrics(socketPath: string, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const asked = request({ socketPath, host: "localhost", path: "/metrics", headers, timeout: 10_000 }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    });
    asked.on("error", reject).on("timeout", () => asked.destroy(new Error("the controller does not answer")));
    asked.end();
  });
}

function valueOf(text: string, name: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`/metrics tells no ${name}`);
  return Number(line.slice(name.length + 1));
}

/** Bytes and files below a directory that others write to, by place. */
function placesBelow(directory: string): ReadonlyMap<string, Size> {
  const sizes = new Map<string, { bytes: number; files: number }>();
  for (const entry of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const place = PLACES.find(([, pattern]) => pattern.test(entry))?.[0];
    const found = place === undefined ? undefined : lstatSync(join(directory, entry), { throwIfNoEntry: false });
    if (place === undefined || found?.isFile() !== true) continue;
    const size = sizes.get(place) ?? { bytes: 0, files: 0 };
    sizes.set(place, { bytes: size.bytes + found.size, files: size.files + 1 });
  }
  return sizes;
}

/** Directories go while they are listed. */
async function placesSoon(directory: string): Promise<ReadonlyMap<string, Size>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return placesBelow(directory);
    } catch (error) {
      if (attempt === 5) throw error;
      await sleep(500);
    }
  }
}

function sumOf(places: ReadonlyMap<string, Size>, isWanted: (place: string) => boolean): Size {
  const sizes = [...places].filter(([place]) => isWanted(place)).map(([, size]) => size);
  return {
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    files: sizes.reduce((sum, { files }) => sum + files, 0),
  };
}

/** Resident memory of each child, bytes. One that has just ended counts as nothing. */
function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  const pids = existsSync(path) ? readFileSync(path, "utf8").split(" ").filter(Boolean) : [];
  return pids.map((child) => {
    const status = `/proc/${child}/status`;
    return existsSync(status) ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(status, "utf8"))?.[1] ?? 0) * 1024 : 0;
  });
}

const collector = fileURLToPath(new URL("collect-garbage.mjs", import.meta.url));

/** What is left of the controller's heap after a full collection. */
async function liveHeap(town: ChaosTown): Promise<{ readonly heapUsed: number; readonly external: number }> {
  const pid = town.controllerPid ?? 0;
  const path = join(town.process.directory, `live-heap-${pid}.json`);
  process.kill(pid, "SIGUSR2");
  for (const giveUpMs = performance.now() + 120_000; performance.now() < giveUpMs; await sleep(50)) {
    if (!existsSync(path)) continue;
    const live = JSON.parse(readFileSync(path, "utf8")) as { readonly heapUsed: number; readonly external: number };
    rmSync(path);
    return live;
  }
  throw new Error("the controller does not collect its garbage");
}

async function sampleOf(town: ChaosTown, startedMs: number): Promise<Sample> {
  const pid = town.controllerPid ?? 0;
  const local = join(town.process.directory, ".git", "town");
  const { socket } = JSON.parse(readFileSync(join(local, "endpoint.json"), "utf8")) as { readonly socket: string };
  const token = readFileSync(join(local, "tokens", "overseer"), "utf8").trim();
  const text = await metrics(socket, token);
  const live = await liveHeap(town);
  const places = await placesSoon(town.process.home);
  const rig = sumOf(places, (place) => place.startsWith("rig: "));
  const children = childrenOf(pid);
  const state = sumOf(places, (place) => /^(gate|session|status|town: work)/.test(place));
  return {
    minute: (performance.now() - startedMs) / 60_000,
    landed: town.landed().length,
    cpuSeconds: valueOf(text, "process_cpu_seconds_total"),
    residentMiB: valueOf(text, "process_resident_memory_bytes") / 2 ** 20,
    liveMiB: live.heapUsed / 2 ** 20,
    buffersMiB: live.external / 2 ** 20,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    processes: children.length,
    processesMiB: children.reduce((sum, bytes) => sum + bytes, 0) / 2 ** 20,
    stateMiB: state.bytes / 2 ** 20,
    rigMiB: rig.bytes / 2 ** 20,
    rigFiles: rig.files,
    places,
  };
}

type Column = Exclude<keyof Sample, "places">;

const COLUMNS: readonly (readonly [Column, string, number])[] = [
  ["minute", "minute", 1],
  ["landed", "landed", 0],
  ["cpuSeconds", "cpu s", 1],
  ["residentMiB", "rss MiB", 0],
  ["liveMiB", "live MiB", 1],
  ["buffersMiB", "buffers MiB", 1],
  ["descriptors", "fds", 0],
  ["processes", "children", 0],
  ["processesMiB", "their MiB", 0],
  ["stateMiB", "state MiB", 2],
  ["rigMiB", "rig MiB", 2],
  ["rigFiles", "rig files", 0],
];

function rowOf(sample: Sample): string {
  return COLUMNS.map(([key, title, digits]) => sample[key].toFixed(digits).padStart(title.length + 2)).join("");
}

function waveOf(number: number): string {
  const items = Array.from({ length: WAVE }, (_, index) => {
    const name = `wave-${number}-${index + 1}`;
    return `    - name: ${name}
      rig: api
      title: Write ${name}
      description: |
        \`\`\`sh
        echo "$TOWN_BEAD" > work/${name}.txt
        echo "${name}" >> work/${name}.txt
        \`\`\``;
  });
  return `apiVersion: town.dev/v1alpha1
kind: Convoy
metadata:
  name: wave-${number}
  namespace: hq
spec:
  owner: pat@example.org
  items:
${items.join("\n")}
`;
}

async function soak(): Promise<void> {
  const town = new ChaosTown({
    agents: AGENTS,
    crew: 2,
    beads: 0,
    runtime: hasTmux() ? "Tmux" : "Process",
    nodeArguments: ["--import", collector, `--heapsnapshot-signal=${SNAPSHOT_SIGNAL}`, `--diagnostic-dir=${tmpdir()}`],
  });
  try {
    town.startController();
    const startedMs = performance.now();
    const samples: Sample[] = [];
    process.stdout.write(`${AGENTS} agents, waves of ${WAVE} beads, ${MINUTES} minutes\n`);
    process.stdout.write(`${COLUMNS.map(([, title]) => `  ${title}`).join("")}\n`);
    for (let wave = 1; performance.now() - startedMs < MINUTES * 60_000; wave++) {
      town.process.commit(`hq/convoys/wave-${wave}.yaml`, waveOf(wave));
      // What is done is taken off the desired state, as people do.
      if (wave > 2) {
        town.process.git(town.process.directory, "rm", "--quiet", `manifests/hq/convoys/wave-${wave - 2}.yaml`);
        town.process.git(town.process.directory, "commit", "--quiet", "--message", "done");
      }
      const giveUpMs = performance.now() + WAVE_LIMIT_MS;
      while (town.landed().length < wave * WAVE) {
        if (performance.now() > giveUpMs) throw new Error(`wave ${wave} did not land; see ${town.logPath}`);
        await sleep(500);
      }
      // Sandboxes go, sessions end.
      await sleep(5_000);
      const sample = await sampleOf(town, startedMs);
      samples.push(sample);
      process.stdout.write(`${rowOf(sample)}\n`);
      if (!SNAPSHOTS.includes(wave)) continue;
      process.kill(town.controllerPid ?? 0, SNAPSHOT_SIGNAL);
      // It answers when the snapshot is written.
      await liveHeap(town);
    }
    const warm = samples.find(({ minute }) => minute >= MINUTES / 3);
    const last = samples.at(-1);
    if (warm === undefined || last === undefined || last.landed === warm.landed) throw new Error("too short to tell");
    const beads = last.landed - warm.landed;
    const each = (key: Column): number => (last[key] - warm[key]) / beads;
    process.stdout.write(
      `per landed bead: ${(each("cpuSeconds") * 1000).toFixed(0)} ms of CPU, ${(each("liveMiB") * 1024).toFixed(1)} kB live, ${(each("buffersMiB") * 1024).toFixed(1)} kB in buffers, ` +
        `${(each("residentMiB") * 1024).toFixed(1)} kB resident, ${(each("processesMiB") * 1024).toFixed(1)} kB in children, ${(each("stateMiB") * 1024).toFixed(1)} kB state, ` +
        `${(each("rigMiB") * 1024).toFixed(1)} kB and ${each("rigFiles").toFixed(2)} files in the rig\n`,
    );
    process.stdout.write("per landed bead, by place:\n");
    for (const [place] of PLACES) {
      const [from, to] = [warm, last].map(({ places }) => places.get(place) ?? { bytes: 0, files: 0 }) as [Size, Size];
      const files = ((to.files - from.files) / beads).toFixed(2).padStart(7);
      const kilobytes = ((to.bytes - from.bytes) / 1024 / beads).toFixed(2).padStart(8);
      process.stdout.write(
        `  ${place.padEnd(32)}${files} files ${kilobytes} kB   (${to.files} files, ${(to.bytes / 2 ** 20).toFixed(2)} MiB now)\n`,
      );
    }
    process.stdout.write(
      `descriptors ${warm.descriptors} → ${last.descriptors}, children ${warm.processes} → ${last.processes}\n`,
    );
  } finally {
    await town.end();
  }
}

if (process.platform === "linux") await soak();
else process.stdout.write("soak bench: skipped, it reads /proc\n");
