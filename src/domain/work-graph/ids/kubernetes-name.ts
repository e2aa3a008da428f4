import { TownError } from "../../../errors/town-error.ts";

const marker = "esc--";
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const maxLength = 253;

/**
 * `metadata.name` of a bead: its id where that is an RFC 1123 subdomain, else `esc--` and the id with every byte outside
 * of a-y and 0-9 written as `z` and two hex digits. Reversible by `idOfKubernetesName`. Throws TownError `IdTooLong`
 * when the name would not fit in 253 characters.
 */
export function kubernetesNameOf(id: string): string {
  if (id.length <= maxLength && subdomain.test(id) && !id.startsWith(marker)) return id;
  let name = marker;
  for (const byte of new TextEncoder().encode(id)) {
    const char = String.fromCharCode(byte);
    name += /[a-y0-9]/.test(char) ? char : `z${byte.toString(16).padStart(2, "0")}`;
  }
  if (name.length > maxLength) {
    throw new TownError(
      "IdTooLong",
      `Cannot name bead '${id}': its Kubernetes name would have ${name.length} characters, ${maxLength} are allowed.`,
      {
        hint: "Give the bead a shorter id.",
      },
    );
  }
  return name;
}

/** The id a name stands for. A name that is no escaped id is the id itself. */
export function idOfKubernetesName(name: string): string {
  if (!name.startsWith(marker)) return name;
  const body = name.slice(marker.length);
  const bytes: number[] = [];
  for (let i = 0; i < body.length; i++) {
    if (body[i] === "z" && /^[0-9a-f]{2}$/.test(body.slice(i + 1, i + 3))) {
      bytes.push(Number.parseInt(body.slice(i + 1, i + 3), 16));
      i += 2;
    } else bytes.push(body.charCodeAt(i));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
