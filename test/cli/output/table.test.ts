import { describe, expect, it } from "vitest";
import { tableLines } from "../../../src/cli/output/table.ts";
import { cutToWidth, displayWidth, plainText, colouredText } from "../../../src/cli/output/terminal-text.ts";
import { fc, fuzzRuns } from "../../property.ts";

const cell = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom("日本語", "<none>", "a\tb", "x\ny", "é", "🏠 home", "\u001b[31mred\u001b[0m"),
);
const table = fc.integer({ min: 1, max: 6 }).chain((width) =>
  fc.record({
    headers: fc.array(fc.stringMatching(/^[A-Z]{1,8}$/), { minLength: width, maxLength: width }),
    rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 8 }),
  }),
);

describe("tableLines", () => {
  it("given any table, when printed, then lines are one a row, without control characters or spaces at the end", () => {
    fc.assert(
      fc.property(table, (value) => {
        const lines = tableLines(value).split("\n");
        expect(lines.pop()).toBe("");
        expect(lines).toHaveLength(value.rows.length + 1);
        // oxlint-disable-next-line no-control-regex
        for (const line of lines) expect(line).not.toMatch(/ $|[\u0000-\u001f]/);
      }),
    );
  });

  it("given any table and a width, when printed, then no line is wider unless every column is at its least", () => {
    fc.assert(
      fc.property(table, fc.integer({ min: 100, max: 200 }), (value, columns) => {
        for (const line of tableLines(value, { columns }).trimEnd().split("\n"))
          expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it("given columns, when printed, then each starts at the same place in every line", () => {
    const text = tableLines({
      headers: ["NAME", "TITLE", "AGE"],
      rows: [
        ["a", "日本", "1s"],
        ["longer", "x", "2s"],
      ],
    });
    expect(text).toBe("NAME     TITLE   AGE\na        日本    1s\nlonger   x       2s\n");
  });

  it("given a narrow terminal, when printed, then the widest column is cut, never the first", () => {
    const text = tableLines(
      { headers: ["NAME", "TITLE", "AGE"], rows: [["a-name-that-is-long", "a title that goes on and on", "1s"]] },
      { columns: 45 },
    );
    expect(text.split("\n")[1]).toBe("a-name-that-is-long   a title that goe…   1s");
  });

  it("given widths of a watch, when rows come one by one, then they stay aligned", () => {
    const widths: number[] = [];
    const first = tableLines({ headers: ["NAME", "AGE"], rows: [["longest", "1s"]] }, { widths });
    const second = tableLines({ headers: ["NAME", "AGE"], rows: [["a", "2s"]] }, { widths, withHeaders: false });
    expect(first + second).toBe("NAME      AGE\nlongest   1s\na         2s\n");
  });

  it("given colours, when printed, then the header is bold and state words are coloured, aligned as without", () => {
    const value = {
      headers: ["NAME", "READY", "AGE"],
      rows: [
        ["a", "True", "1s"],
        ["b", "False", "2s"],
      ],
    };
    const coloured = tableLines(value, { colours: true });
    expect(coloured).toContain("\u001b[32mTrue");
    expect(coloured).toContain("\u001b[31mFalse");
    expect(plainText(coloured)).toBe(tableLines(value));
  });
});

describe("terminal text", () => {
  it("given escape sequences, when made plain, then only the words are left", () => {
    expect(
      plainText("a\u001b[31mb\u001b[0m\u001b]0;title\u0007c\u001b]8;;http://x\u001b\\d\u0000\u0008e\r\nf\tg\u009b2J"),
    ).toBe("abcde\nf\tg2J");
    expect(colouredText("a\u001b[31mb\u001b[2Jc\u001b[0m\u001b[?25l\u001b")).toBe("a\u001b[31mbc\u001b[0m");
  });

  it("given any text, when made plain or coloured, then no other control character than a colour's survives", () => {
    const wild = fc.string({
      unit: fc.constantFrom("\u001b", "[", "]", "3", "1", "m", "J", ";", "\u0007", "\\", "\u009b", "P", "a", "\n"),
    });
    fc.assert(
      fc.property(wild, (text) => {
        // oxlint-disable-next-line no-control-regex
        expect(plainText(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
        // oxlint-disable-next-line no-control-regex
        expect(colouredText(text).replace(/\u001b\[[0-9;:]*m/g, "")).not.toMatch(/\u001b/);
      }),
      { numRuns: fuzzRuns(1000) },
    );
  });

  it("given a text and a width, when cut, then it fits and says that it was cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 30 }), (text, columns) => {
        const cut = cutToWidth(text, columns);
        expect(displayWidth(cut)).toBeLessThanOrEqual(Math.max(columns, displayWidth("…")));
        if (displayWidth(text) <= columns) expect(cut).toBe(text);
        else expect(cut.endsWith("…")).toBe(true);
      }),
    );
  });
});
