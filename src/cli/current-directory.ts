/** Where this process is; where that was removed meanwhile, where it was, so that whoever looks there can say so. */
export function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return process.env["PWD"] ?? "/";
  }
}
