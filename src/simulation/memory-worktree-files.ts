import type { Files } from "../ports/files.ts";

/** The part of the disk that worktrees need; a whole `Files` twin fits. */
export type WorktreeFiles = Pick<
  Files,
  "readText" | "writeAtomic" | "remove" | "removeTree" | "makeDirectory" | "list" | "stat" | "symlink" | "rename"
>;

interface Held {
  readonly kind: "File" | "Link" | "Directory";
  readonly text: string;
  readonly mode: number;
}

/** A disk of its own for a simulated git that is given none. */
export function memoryWorktreeFiles(): WorktreeFiles {
  const held = new Map<string, Held>();
  const below = (path: string) => [...held.keys()].filter((one) => one.startsWith(`${path}/`));
  return {
    readText: async (path) => {
      const node = held.get(path);
      return node?.kind === "File" ? node.text : undefined;
    },
    writeAtomic: async (path, content, options = {}) => {
      const text = typeof content === "string" ? content : new TextDecoder().decode(content);
      held.set(path, { kind: "File", text, mode: options.mode ?? 0o644 });
    },
    symlink: async (target, path) => void held.set(path, { kind: "Link", text: target, mode: 0o777 }),
    remove: async (path) => void held.delete(path),
    removeTree: async (path) => [path, ...below(path)].forEach((one) => held.delete(one)),
    rename: async (from, to) => {
      for (const one of [from, ...below(from)]) {
        const node = held.get(one);
        held.delete(one);
        if (node !== undefined) held.set(`${to}${one.slice(from.length)}`, node);
      }
    },
    makeDirectory: async (path) => {
      const parts = path.split("/").filter((part) => part !== "");
      for (let length = 1; length <= parts.length; length++) {
        const one = `/${parts.slice(0, length).join("/")}`;
        if (!held.has(one)) held.set(one, { kind: "Directory", text: "", mode: 0o755 });
      }
    },
    list: async (path) =>
      below(path)
        .map((one) => one.slice(path.length + 1))
        .filter((name) => !name.includes("/"))
        .sort(),
    stat: async (path) => {
      const node = held.get(path);
      return node === undefined
        ? undefined
        : { kind: node.kind, size: node.text.length, modifiedMs: 0, mode: node.mode };
    },
  };
}
