import type { CommandSpec } from "./context.ts";
import { resourceCommands } from "./commands/resource-rows.ts";
import { townCommands } from "./commands/town-rows.ts";

/** Every command of `town`, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [...resourceCommands, ...townCommands];
