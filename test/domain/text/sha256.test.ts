import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256 } from "../../../src/domain/text/sha256.ts";
import { fc } from "../../property.ts";

test("given any text, when hashed, then it is what node:crypto says", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.nat(200).map((length) => "ä".repeat(length)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(sha256(text)).toBe(createHash("sha256").update(text, "utf8").digest("hex"));
    }),
  );
});
