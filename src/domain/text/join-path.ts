/** Absolute path of `relative`, as seen from the absolute directory `root`, without `.` and `..`. */
export function joinPath(root: string, relative: string): string {
  const parts = root.split("/").filter((part) => part !== "");
  for (const part of relative.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
