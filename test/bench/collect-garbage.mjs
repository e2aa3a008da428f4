// Loaded into the controller by a bench (`node --import`): on SIGUSR2 everything that nobody holds is collected, and how
// much is left is written to `live-heap-<pid>.json` in the working directory.
import { renameSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

process.on("SIGUSR2", () => {
  // What weak references and finalizers let go is collected by the second.
  for (let round = 0; round < 2; round++) collect();
  const { heapUsed, external } = process.memoryUsage();
  const path = `${process.cwd()}/live-heap-${process.pid}.json`;
  writeFileSync(`${path}.new`, JSON.stringify({ heapUsed, external }));
  renameSync(`${path}.new`, path);
});
