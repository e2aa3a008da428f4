import { poolText } from "./sync-site.ts";

/** One way to spoil a manifest: gives the text of file number `n`; `line`: what must be named (0: any, or the file). */
interface Spoil {
  readonly because: string;
  readonly text: (n: number) => string;
  readonly line: number;
}

const replaced = (n: number, from: string | RegExp, to: string): string => poolText(`bad-${n}`).replace(from, to);
const source = (n: number, dependsOn: string): string =>
  `apiVersion: town.dev/v1alpha1\nkind: Source\nmetadata:\n  name: ring-${n}\nspec:\n  url: /nowhere\n  dependsOn: [${dependsOn}]\n`;
const bomb = (n: number): string =>
  [
    `a: &a ["x${n}", "x", "x", "x", "x", "x", "x", "x", "x"]`,
    ..."bcdefgh".split("").map((letter, at) => {
      const former = "abcdefgh"[at];
      return `${letter}: &${letter} [*${former}, *${former}, *${former}, *${former}, *${former}, *${former}]`;
    }),
    "",
  ].join("\n");

/** What people, editors and broken disks leave in a folder of manifests. */
const SPOILS: readonly Spoil[] = [
  { because: "unknown field", line: 10, text: (n) => `${poolText(`bad-${n}`)}  replicaz${n}: 1\n` },
  { because: "unknown top field", line: 0, text: (n) => `${poolText(`bad-${n}`)}extra${n}: 1\n` },
  { because: "out of range", line: 9, text: (n) => replaced(n, "replicas: 1", `replicas: -${n + 1}`) },
  { because: "wrong type", line: 9, text: (n) => replaced(n, "replicas: 1", `replicas: many${n}`) },
  { because: "unknown kind", line: 2, text: (n) => replaced(n, "AgentPool", `AgentPol${n}`) },
  { because: "bad apiVersion", line: 1, text: (n) => replaced(n, "v1alpha1", `v${n}beta`) },
  { because: "bad name", line: 4, text: (n) => replaced(n, `bad-${n}`, `Bad_${n}`) },
  { because: "bad namespace", line: 5, text: (n) => replaced(n, "namespace: api", `namespace: _${n}`) },
  { because: "no kind", line: 0, text: (n) => replaced(n, "kind: AgentPool\n", "") },
  {
    because: "server field",
    line: 4,
    text: (n) => replaced(n, "metadata:\n", `metadata:\n  resourceVersion: "${n}"\n`),
  },
  { because: "status", line: 0, text: (n) => `${poolText(`bad-${n}`)}status:\n  x: ${n}\n` },
  { because: "duplicate key", line: 0, text: (n) => `${poolText(`bad-${n}`)}  role: other${n}\n` },
  { because: "tab", line: 9, text: (n) => replaced(n, "  replicas", "\treplicas") },
  { because: "open bracket", line: 0, text: (n) => replaced(n, "role: crew", `role: [crew${n}`) },
  { because: "open quote", line: 0, text: (n) => replaced(n, "replicas: 1", `replicas: "${n}`) },
  { because: "tag", line: 7, text: (n) => replaced(n, "role: crew", `role: !!js/function "x${n}"`) },
  { because: "custom tag", line: 7, text: (n) => replaced(n, "role: crew", `role: !ruby/object:X${n} crew`) },
  { because: "anchor", line: 7, text: (n) => replaced(n, "role: crew", `role: &a${n} crew`) },
  { because: "bomb", line: 0, text: bomb },
  { because: "merge key", line: 0, text: (n) => `${poolText(`bad-${n}`)}  <<: {x: ${n}}\n` },
  { because: "directive", line: 0, text: (n) => `%YAML 1.1\n---\n${poolText(`bad-${n}`)}` },
  { because: "undefined local", line: 9, text: (n) => replaced(n, "replicas: 1", `replicas: \${local:none${n}}`) },
  { because: "secret", line: 7, text: (n) => replaced(n, "role: crew", `role: sk-ant-api${n}${"a".repeat(30)}`) },
  { because: "list", line: 1, text: (n) => `- a${n}\n- b\n` },
  { because: "scalar", line: 1, text: (n) => `just text ${n}\n` },
  { because: "wrong indentation", line: 0, text: (n) => replaced(n, "  replicas: 1", `    replicas: ${n}`) },
  { because: "dangling reference", line: 7, text: (n) => replaced(n, "role: crew", `role: crw${n}`) },
  { because: "dangling namespace", line: 5, text: (n) => replaced(n, "namespace: api", `namespace: nowhere${n}`) },
  { because: "cycle", line: 7, text: (n) => source(n, `ring-${n}`) },
  { because: "declared twice", line: 0, text: (n) => `${poolText(`bad-${n}`)}---\n${poolText(`bad-${n}`, 2)}` },
  {
    because: "runtime annotation",
    line: 0,
    text: (n) => poolText(`bad-${n}`, 1, `  annotations:\n    runtime.town.dev/approve: "${n}"\n`),
  },
  { because: "finalizers", line: 0, text: (n) => poolText(`bad-${n}`, 1, `  finalizers: [x/y${n}]\n`) },
  { because: "binary", line: 0, text: (n) => `\0\u0001\u0002PNG${n}\0\0` },
  { because: "prototype", line: 0, text: (n) => `${poolText(`bad-${n}`)}  __proto__: {polluted: ${n}}\n` },
  { because: "deep nesting", line: 0, text: (n) => `${"[".repeat(5_000 + n)}${"]".repeat(5_000 + n)}\n` },
];

export interface BadManifest {
  readonly path: string;
  readonly text: string;
  readonly because: string;
  readonly line: number;
}

/** At least `count` bad files, every way of spoiling among them, and one of 5 MB. */
export function badManifests(count: number): readonly BadManifest[] {
  const files = Array.from({ length: Math.max(count, SPOILS.length) }, (_, n) => {
    const spoil = SPOILS[n % SPOILS.length] as Spoil;
    return { path: `bad/f${n}.yaml`, text: spoil.text(n), because: spoil.because, line: spoil.line };
  });
  const large = { path: "bad/large.yaml", text: `# ${"x".repeat(5 * 1024 * 1024)}\n`, because: "5 MB", line: 0 };
  return [...files, large];
}
