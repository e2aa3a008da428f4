import type { BdCommand } from "../command.ts";
import { closeCommand, deleteCommand, reopenCommand } from "./close.ts";
import { commentCommand, commentsCommand } from "./comment.ts";
import { createCommand, quickCommand } from "./create.ts";
import { blockedCommand, depCyclesCommand, depListCommand, depTreeCommand } from "./dep-reads.ts";
import { depAddCommand, depCommand, depRemoveCommand } from "./dep.ts";
import { helpCommand, versionCommand } from "./help.ts";
import { labelAddCommand, labelListAllCommand, labelListCommand, labelRemoveCommand } from "./label.ts";
import { listCommand } from "./list.ts";
import { readyCommand } from "./ready.ts";
import { countCommand, searchCommand, staleCommand } from "./search.ts";
import { childrenCommand, showCommand } from "./show.ts";
import { statsCommand } from "./stats.ts";
import { updateCommand } from "./update.ts";

/** Every command, in the order in which help shows them. */
export const commands: readonly BdCommand[] = [
  createCommand,
  quickCommand,
  showCommand,
  updateCommand,
  closeCommand,
  reopenCommand,
  deleteCommand,
  readyCommand,
  listCommand,
  childrenCommand,
  searchCommand,
  blockedCommand,
  countCommand,
  staleCommand,
  statsCommand,
  depCommand,
  depAddCommand,
  depRemoveCommand,
  depListCommand,
  depTreeCommand,
  depCyclesCommand,
  labelAddCommand,
  labelRemoveCommand,
  labelListCommand,
  labelListAllCommand,
  commentCommand,
  commentsCommand,
  helpCommand(() => commands),
  versionCommand,
];
