import { AdapterError } from "../errors/town-error.ts";

interface Meaning {
  readonly reason: string;
  readonly text: string;
  readonly hint?: string;
}

const FULL: Meaning = {
  reason: "DiskFull",
  text: "no space left on the disk",
  hint: "Free some space; nothing that was acknowledged is lost.",
};
const DENIED: Meaning = {
  reason: "PermissionDenied",
  text: "permission denied",
  hint: "Check the owner and mode of the path and its directories.",
};
const CROWDED: Meaning = {
  reason: "TooManyOpenFiles",
  text: "too many open files",
  hint: "Raise the limit with `ulimit -n` and start again.",
};

/** What a file system error code (`man 3 errno`) means to a person. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: FULL,
  EDQUOT: { ...FULL, text: "the disk quota is used up" },
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: {
    reason: "DiskReadOnly",
    text: "the file system is read-only",
    hint: "Remount it writable; a failing disk is often remounted read-only.",
  },
  EIO: {
    reason: "DiskFailed",
    text: "input/output error",
    hint: "The disk or its driver failed: look at the system log before going on.",
  },
  EMFILE: CROWDED,
  ENFILE: CROWDED,
  ENOENT: { reason: "PathMissing", text: "no such file or directory" },
  ENOTDIR: { reason: "PathNotDirectory", text: "a part of the path is not a directory" },
  EISDIR: { reason: "PathIsDirectory", text: "it is a directory" },
  EEXIST: { reason: "PathExists", text: "it exists already" },
  ENOTEMPTY: { reason: "PathExists", text: "the directory is not empty" },
  ELOOP: { reason: "LinkLoop", text: "too many symbolic links" },
  EXDEV: { reason: "OtherFileSystem", text: "the two paths are on different file systems" },
  EBADF: { reason: "FileClosed", text: "the file is closed" },
};

/** The one form of a failed file operation: `Cannot append to /x/y: no space left on the disk (ENOSPC)`. */
export function fileError(action: string, path: string, code: string | undefined, cause?: unknown): AdapterError {
  const meaning = MEANINGS[code ?? ""];
  const happened = meaning?.text ?? (cause instanceof Error ? cause.message : "it failed");
  return new AdapterError(
    meaning?.reason ?? "FileOperationFailed",
    `Cannot ${action} ${path}: ${happened}${code === undefined ? "" : ` (${code})`}.`,
    {
      code,
      cause,
      ...(meaning?.hint === undefined ? {} : { hint: meaning.hint }),
    },
  );
}
