// Which room may import which: the map is drawn in src/README.md. A room that is not listed here fails the check.
const pure = ["errors", "resource", "ports", "domain"];
const may = {
  errors: [],
  resource: ["errors"],
  domain: ["errors", "resource"],
  ports: ["errors", "resource", "domain"],
  work: pure,
  kinds: [...pure, "work"],
  verbs: [...pure, "work", "kinds"],
  graph: pure,
  bd: pure,
  "shell-agent": ["errors", "resource"],
  "turn-runner": ["errors", "shell-agent", "adapters"],
  manifests: pure,
  engine: ["errors", "resource", "ports"],
  store: ["errors", "resource", "ports"],
  server: ["errors", "resource", "ports", "telemetry"],
  cli: ["errors", "resource"],
  telemetry: ["errors", "resource", "ports"],
  adapters: pure,
  sync: [...pure, "kinds", "manifests"],
  daemon: [...pure, "work", "kinds", "verbs", "graph", "bd", "manifests", "sync", "engine", "store", "server", "telemetry", "adapters"],
  demo: [],
  simulation: [...pure, "work", "kinds", "verbs", "graph", "bd", "manifests", "sync", "engine", "store"],
};
const homes = {
  execa: "(adapters|demo)", "simple-git": "(adapters|demo)", chokidar: "adapters", pino: "telemetry", "prom-client": "telemetry",
  commander: "cli", hono: "server", "@hono/node-server": "server", "fast-json-patch": "server", yaml: "manifests",
  "smol-toml": "manifests", "node-forge": "server",
};
module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    ...Object.entries(may).map(([room, open]) => ({
      name: `room-${room}`, severity: "error", from: { path: `^src/${room}/` },
      to: { path: "^src/", pathNot: [room, ...open].map((r) => `^src/${r}/`) },
    })),
    { name: "only-known-rooms", severity: "error", from: {}, to: { path: "^src/[^/]+/", pathNot: Object.keys(may).map((r) => `^src/${r}/`) } },
    {
      name: "core-at-the-edge", severity: "error",
      from: { path: "^src/(errors|resource|ports|domain|work|kinds|verbs|graph|bd|manifests|sync|engine|store|simulation)/" },
      to: { dependencyTypes: ["core"] },
    },
    { name: "plan-sees-no-port", severity: "error", from: { path: "\\.plan\\.ts$" }, to: { path: "^src/ports/", dependencyTypesNot: ["type-only"] } },
    {
      name: "kinds-meet-by-schema", severity: "error", from: { path: "^src/kinds/([^/]+)/" },
      to: { path: "^src/kinds/[^/]+/", pathNot: ["^src/kinds/$1/", "\\.schema\\.ts$"] },
    },
    { name: "sync-sees-schemas", severity: "error", from: { path: "^src/sync/" }, to: { path: "^src/kinds/", pathNot: ["\\.schema\\.ts$"] } },
    { name: "verbs-see-schemas", severity: "error", from: { path: "^src/verbs/" }, to: { path: "^src/kinds/", pathNot: ["\\.schema\\.ts$"] } },
    { name: "cli-types-only", severity: "error", from: { path: "^src/cli/" }, to: { path: "^src/resource/", dependencyTypesNot: ["type-only"] } },
    { name: "no-zod-in-cli", severity: "error", from: { path: "^src/cli/" }, to: { path: "node_modules/zod/", dependencyTypesNot: ["type-only"] } },
    ...Object.entries(homes).map(([pkg, room]) => ({
      name: `home-of-${pkg.replace(/\W+/g, "-")}`, severity: "error", from: { path: "^src/", pathNot: `^src/${room}(/|\\.ts$)` },
      to: { path: `^node_modules/${pkg}/` },
    })),
    { name: "no-vague-names", severity: "error", from: {}, to: { path: ["/utils?[./]", "/helpers?[./]", "/managers?[./]", "/misc[./]", "/common[./]"], pathNot: "node_modules" } },
  ],
  options: { tsConfig: { fileName: "tsconfig.json" }, tsPreCompilationDeps: true, doNotFollow: { path: "node_modules" } },
};
