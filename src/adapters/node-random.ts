import { randomBytes, randomUUID } from "node:crypto";
import type { Random } from "../ports/random.ts";

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
/** The largest multiple of 36 in a byte: bytes from here on are drawn again, so that every digit is as likely. */
const FAIR_BYTES = 252;

/** The system's randomness; everything but `float` is fit for secrets. */
export const nodeRandom: Random = {
  float: () => Math.random(),
  uuid: () => randomUUID(),
  base36: (length) => {
    let text = "";
    while (text.length < length) {
      for (const byte of randomBytes(length - text.length)) if (byte < FAIR_BYTES) text += DIGITS[byte % 36];
    }
    return text;
  },
  secret: (bytes) => randomBytes(bytes).toString("hex"),
};
