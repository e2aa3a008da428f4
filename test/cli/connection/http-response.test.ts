import { describe, expect, it } from "vitest";
import { ResponseParser } from "../../../src/cli/connection/http-response.ts";
import { fc } from "../../property.ts";

interface Parsed {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
  ended: number;
}

function parsed(text: string | Buffer, cuts: readonly number[] = [], closes = true): Parsed {
  const result: Parsed = { status: 0, headers: {}, body: "", ended: 0 };
  const chunks: Buffer[] = [];
  const parser = new ResponseParser({
    head: (status, headers) => {
      result.status = status;
      result.headers = headers;
    },
    data: (chunk) => chunks.push(Buffer.from(chunk)),
    end: () => {
      result.ended += 1;
    },
  });
  const bytes = Buffer.from(text);
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let start = 0;
  for (const cut of [...at, bytes.length]) {
    parser.feed(bytes.subarray(start, cut));
    start = cut;
  }
  if (closes) parser.close();
  result.body = Buffer.concat(chunks).toString();
  return result;
}

function chunked(parts: readonly string[]): string {
  return `${parts
    .filter((part) => part !== "")
    .map((part) => `${Buffer.byteLength(part).toString(16)};ext=1\r\n${part}\r\n`)
    .join("")}0\r\nTrailer: x\r\n\r\n`;
}

describe("ResponseParser", () => {
  it("given any body in any framing cut anywhere, when parsed, then it is the body and ends once", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme" }), { maxLength: 5 }),
        fc.array(fc.nat(2000), { maxLength: 8 }),
        fc.constantFrom("chunked", "length", "close"),
        (parts, cuts, framing) => {
          const body = parts.join("");
          const head =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nX-Two: a\r\nX-Two: b\r\n";
          const framed = {
            chunked: `${head}Transfer-Encoding: chunked\r\n\r\n${chunked(parts)}`,
            length: `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
            close: `${head}\r\n${body}`,
          }[framing];
          const result = parsed(framed, cuts);
          expect(result).toMatchObject({ status: 201, body, ended: 1 });
          expect(result.headers["x-two"]).toBe("a, b");
        },
      ),
    );
  });

  it("given 204, when parsed, then it ends with its head", () => {
    expect(parsed("HTTP/1.1 204 No Content\r\n\r\n", [], false)).toMatchObject({ status: 204, ended: 1 });
  });

  it("given a connection that ends early, when closed, then it throws", () => {
    expect(() => parsed("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")).toThrow("in the middle");
    expect(() => parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")).toThrow("in the middle");
    expect(() => parsed("")).toThrow("in the middle");
  });

  it("given something else than HTTP, when parsed, then it says so", () => {
    expect(() => parsed("SSH-2.0-OpenSSH\r\n\r\n")).toThrow("does not speak HTTP");
    expect(() => parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")).toThrow("damaged");
  });
});
