import type { CommandSpec } from "./context.ts";
import { formulaCommands } from "./commands/formula-rows.ts";
import { gitopsCommands } from "./commands/gitops-rows.ts";
import { resourceCommands } from "./commands/resource-rows.ts";
import { townCommands } from "./commands/town-rows.ts";
import { verbCommand } from "./verbs/verb-row.ts";
import { verbRows } from "./verbs/verb-rows.ts";

/** Every command of `town`; within a group in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  ...resourceCommands,
  ...gitopsCommands,
  ...townCommands,
  ...formulaCommands,
  ...verbRows.map(verbCommand),
];
