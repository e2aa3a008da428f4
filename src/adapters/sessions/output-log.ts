import { open } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";

/**
 * Appends stdin to the file `$1` and keeps it bounded without anybody's help: after 2,048 reads of at most 4 KiB the
 * file becomes `$1.1`. So a session's log holds at least its last 2,048 writes and never takes more than 16 MiB, also
 * while no daemon runs. `dd` because it hands on what it reads at once and counts its reads
 * on every system (GNU's says more than that when a read was short). On a full disk the rest is dropped: a
 * closed pipe would end the program.
 */
export const OUTPUT_LOG_SCRIPT = `# Town output log, format 1
trap '' HUP INT QUIT TERM
umask 077
while :; do
  told=$(LC_ALL=C dd bs=4096 count=2048 2>&1 >>"$1") || exec cat >/dev/null
  told=\${told%% records in*}
  reads=\${told##*[!0-9+]}
  [ $((\${reads%+*} + \${reads#*+})) -ge 2048 ] || exit
  mv -f "$1" "$1.1"
done
`;

const TAIL_BYTES = 256 * 1024;

/** Last lines of a log as plain text: escape sequences and what was overwritten by carriage returns are gone. */
export async function tailOfLog(path: string, lines: number): Promise<string | undefined> {
  const newest = await tailBytes(path);
  const text =
    newest === undefined || newest.length >= TAIL_BYTES ? newest : `${(await tailBytes(`${path}.1`)) ?? ""}${newest}`;
  if (text === undefined) return undefined;
  const plain = stripVTControlCharacters(text)
    .split("\n")
    .map((line) => line.replace(/\r+$/, "").replace(/^.*\r/, ""));
  while (plain.at(-1) === "") plain.pop();
  return plain.slice(-lines).join("\n");
}

async function tailBytes(path: string): Promise<string | undefined> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
