/** One item of the demo's convoy: a real edit of the library, as the sh block that a model would otherwise write. */
export interface DemoBead {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly script: string;
  readonly dependsOn?: readonly string[];
}

/** An edit of index.js by exact replacement; fails when the text to replace is not there exactly once. */
function edit(replacements: readonly (readonly [from: string, to: string])[], more = ""): string {
  const pairs = JSON.stringify(replacements, undefined, 2);
  return `node - <<'EDIT'
const fs = require("node:fs");
let code = fs.readFileSync("index.js", "utf8");
for (const [from, to] of ${pairs}) {
  if (code.split(from).length !== 2) throw new Error("not there exactly once: " + from);
  code = code.replace(from, () => to);
}
fs.writeFileSync("index.js", code);
EDIT${more}`;
}

function testFile(name: string, body: string): string {
  return `
cat > test/${name} <<'TEST'
const { test } = require("node:test");
const { strictEqual, deepStrictEqual } = require("node:assert");
const redact = require("../index.js");

${body}
TEST`;
}

const ALWAYS_PUSH = `      // Always push the current value when closing brackets, even if it's an empty string
      parts.push(current)
      current = ''
      inBrackets = false
      inQuotes = false`;

export const DEMO_BEADS: readonly DemoBead[] = [
  {
    name: "empty-brackets",
    title: "An empty bracket must not make an empty path segment",
    text: "`a[].b` is parsed as `a`, an empty key, `b`. Ignore empty brackets. (The first attempt forgets that [''] names a real key, and the library's own tests notice.)",
    script: `if [ "$TOWN_ATTEMPT" = 1 ]; then
${edit([[ALWAYS_PUSH, ALWAYS_PUSH.replace("      parts.push(current)", "      if (current) parts.push(current)").replace(", even if it's an empty string", "")]])}
else
grep -n "not ok" "$TOWN_FEEDBACK_FILE" || true
${edit([
  [
    ALWAYS_PUSH,
    ALWAYS_PUSH.replace(
      "      parts.push(current)",
      "      if (current || quoted) parts.push(current)\n      quoted = false",
    ).replace(
      "Always push the current value when closing brackets, even if it's an empty string",
      "An empty segment counts when it was quoted: [''] names the empty key",
    ),
  ],
  [
    "  let quoteChar = ''\n\n  for (let i = 0; i < path.length; i++) {\n    const char = path[i]\n\n    if (!inBrackets && char === '.') {",
    "  let quoteChar = ''\n  let quoted = false\n\n  for (let i = 0; i < path.length; i++) {\n    const char = path[i]\n\n    if (!inBrackets && char === '.') {",
  ],
  [
    "        inQuotes = true\n        quoteChar = char\n      } else if (char === quoteChar) {\n        inQuotes = false\n        quoteChar = ''\n      } else {\n        current += char",
    "        inQuotes = true\n        quoted = true\n        quoteChar = char\n      } else if (char === quoteChar) {\n        inQuotes = false\n        quoteChar = ''\n      } else {\n        current += char",
  ],
])}
fi${testFile(
      "brackets.test.js",
      `test("an empty bracket is ignored, a quoted empty key is not", () => {
  strictEqual(redact({ paths: ["a[].b"] })({ a: { b: 1 } }), '{"a":{"b":"[REDACTED]"}}');
  strictEqual(redact({ paths: ["a[''].b"] })({ a: { "": { b: 1 } } }), '{"a":{"":{"b":"[REDACTED]"}}}');
});`,
    )}`,
  },
  {
    name: "path-module",
    title: "Move path parsing and checking into a file of its own",
    text: "parsePath, validatePath and validatePaths know nothing of redaction. Move them to lib/path.js.",
    dependsOn: ["empty-brackets"],
    script: `mkdir -p lib
node - <<'EDIT'
const fs = require("node:fs");
let code = fs.readFileSync("index.js", "utf8");
const moved = [];
for (const name of ["parsePath", "validatePath", "validatePaths"]) {
  const start = code.indexOf("function " + name + " (");
  const end = code.indexOf("\\n}\\n", start) + 3;
  if (start < 0 || end < 3) throw new Error("no function " + name);
  moved.push(code.slice(start, end));
  code = code.slice(0, start) + code.slice(end).replace(/^\\n/, "");
}
fs.writeFileSync("lib/path.js", "'use strict'\\n\\n" + moved.join("\\n") + "\\nmodule.exports = { parsePath, validatePaths }\\n");
fs.writeFileSync("index.js", code.replace("'use strict'\\n", "'use strict'\\n\\nconst { parsePath, validatePaths } = require('./lib/path.js')\\n"));
EDIT
cat > test/path.test.js <<'TEST'
const { test } = require("node:test");
const { deepStrictEqual, throws } = require("node:assert");
const { parsePath, validatePaths } = require("../lib/path.js");

test("paths are split at dots and brackets", () => {
  deepStrictEqual(parsePath("a.b['c.d'][0].*"), ["a", "b", "c.d", "0", "*"]);
});
test("paths that cannot be meant are refused", () => {
  throws(() => validatePaths(["a..b"]), /Invalid redaction path/);
});
TEST`,
  },
  {
    name: "clone-collections",
    title: "restore() must keep Map, Set and RegExp values",
    text: "deepClone makes an object without content out of a Map, a Set or a RegExp.",
    script: edit(
      [
        [
          "  if (obj instanceof Array) {\n    const cloned = []",
          "  if (obj instanceof RegExp) {\n    return new RegExp(obj.source, obj.flags)\n  }\n\n  if (obj instanceof Map) {\n    return new Map([...obj].map(([key, value]) => [deepClone(key), deepClone(value)]))\n  }\n\n  if (obj instanceof Set) {\n    return new Set([...obj].map(deepClone))\n  }\n\n  if (obj instanceof Array) {\n    const cloned = []",
        ],
      ],
      testFile(
        "collections.test.js",
        `test("restore keeps collections", () => {
  const original = { a: 1, map: new Map([["k", { n: 1 }]]), set: new Set([2]), re: /x/gi };
  const restored = redact({ paths: ["a"], serialize: false })(original).restore();
  deepStrictEqual(restored.map, original.map);
  deepStrictEqual(restored.set, original.set);
  strictEqual(String(restored.re), "/x/gi");
});`,
      ),
    ),
  },
  {
    name: "own-keys",
    title: "Wildcards in the middle of a path must see own keys only",
    text: "redactIntermediateWildcard walks for…in, so it follows keys of the prototype too.",
    script: edit(
      [
        [
          "        for (const key in current) {\n          pathArray[pathLength] = key\n          traverse(current[key], pathLength + 1)\n        }",
          "        for (const key of Object.keys(current)) {\n          pathArray[pathLength] = key\n          traverse(current[key], pathLength + 1)\n        }",
        ],
      ],
      testFile(
        "own-keys.test.js",
        `test("a wildcard does not reach into the prototype", () => {
  const shared = { secret: { token: "kept" } };
  const seen = [];
  redact({ paths: ["*.token"], censor: (value) => { seen.push(value); return "x"; } })(Object.create(shared, { own: { value: { token: "t" }, enumerable: true } }));
  deepStrictEqual(seen, ["t"]);
});`,
      ),
    ),
  },
  {
    name: "plain-censor",
    title: "Drop the censor that is assigned to itself",
    text: "slowRedact copies `censor` into `actualCensor` and then, for functions, copies it once more.",
    script: edit([
      [
        "    let actualCensor = censor\n    if (typeof censor === 'function') {\n      actualCensor = censor\n    }\n\n",
        "",
      ],
      ["    redactPaths(cloned, paths, actualCensor, remove)", "    redactPaths(cloned, paths, censor, remove)"],
    ]),
  },
];
