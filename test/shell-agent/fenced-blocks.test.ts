import { expect, test } from "vitest";
import { fencedBlocks } from "../../src/shell-agent/fenced-blocks.ts";
import { fc } from "../property.ts";

const shown = (markdown: string) =>
  fencedBlocks(markdown).map(({ language, text, closed }) => [language, text, closed]);

test.each([
  { because: "text alone has none", markdown: "run `sh` and\n    indented\n", blocks: [] },
  {
    because: "the usual form",
    markdown: "a\n```sh\necho 1\necho 2\n```\nb",
    blocks: [["sh", "echo 1\necho 2\n", true]],
  },
  {
    because: "two in order",
    markdown: "```sh\na\n```\n\n```sh\nb\n```",
    blocks: [
      ["sh", "a\n", true],
      ["sh", "b\n", true],
    ],
  },
  { because: "the first word counts", markdown: "``` SH title=x\na\n```", blocks: [["sh", "a\n", true]] },
  { because: "tildes fence too", markdown: "~~~sh\necho '```'\n~~~", blocks: [["sh", "echo '```'\n", true]] },
  {
    because: "a longer fence holds a shorter one",
    markdown: "````md\n```sh\nrm -rf x\n```\n````",
    blocks: [["md", "```sh\nrm -rf x\n```\n", true]],
  },
  { because: "the other mark does not close", markdown: "```sh\n~~~\n```", blocks: [["sh", "~~~\n", true]] },
  {
    because: "a fence with words does not close",
    markdown: "```sh\na\n``` not the end\n```",
    blocks: [["sh", "a\n``` not the end\n", true]],
  },
  {
    because: "indentation of the fence is taken off",
    markdown: "  ```sh\n  if true; then\n    echo\n  fi\n  ```",
    blocks: [["sh", "if true; then\n  echo\nfi\n", true]],
  },
  { because: "four spaces are a code block, no fence", markdown: "    ```sh\n    a\n    ```", blocks: [] },
  { because: "backticks behind the fence are inline code", markdown: "```sh `a`\nb", blocks: [] },
  {
    because: "a missing end is told",
    markdown: "```sh\necho 1\nrm -rf /tm",
    blocks: [["sh", "echo 1\nrm -rf /tm\n", false]],
  },
  { because: "CRLF is a line end", markdown: "```sh\r\na\r\n```\r\n", blocks: [["sh", "a\n", true]] },
  { because: "an empty block is one", markdown: "```sh\n```", blocks: [["sh", "", true]] },
])("given markdown, when read, then $because", ({ markdown, blocks }) => {
  expect(shown(markdown)).toEqual(blocks);
});

test("given any text in a fence long enough for it, when read, then it comes back as it is", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "  b", "```", "````", "~~~", "# x", "")), (lines) => {
      const text = lines.map((line) => `${line}\n`).join("");
      expect(shown(`before\n\n\`\`\`\`\`sh\n${text}\`\`\`\`\`\nafter`)).toEqual([["sh", text, true]]);
    }),
  );
});
