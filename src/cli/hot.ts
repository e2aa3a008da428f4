import { join } from "node:path";
import type * as full from "./full.ts";
import { hotCommand } from "./hot/hot-command.ts";

/** Reaches the second bundle beside this one; a variable, so that the bundler leaves the call alone. */
const REST = "./town-full.cjs";

const argv = process.argv.slice(2);
void hotCommand(argv, join(__dirname, "..")).then(async (isDone) => {
  if (!isDone) await (require(REST) as typeof full).main(argv);
});
