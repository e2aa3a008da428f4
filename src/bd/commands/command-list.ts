import type { BdCommand } from "../command.ts";
import { batchCommand } from "./batch.ts";
import { heartbeatCommand, reclaimCommand } from "./claims.ts";
import { closeCommand, deleteCommand, reopenCommand } from "./close.ts";
import { commentCommand, commentsCommand } from "./comment.ts";
import { compactCommand } from "./compact.ts";
import {
  configGetCommand,
  configListCommand,
  configSetCommand,
  configUnsetCommand,
  statusesCommand,
  typesCommand,
} from "./config.ts";
import { createCommand, quickCommand } from "./create.ts";
import { deferCommand, undeferCommand } from "./defer.ts";
import { blockedCommand, depCyclesCommand, depListCommand, depTreeCommand } from "./dep-reads.ts";
import { depAddCommand, depCommand, depRemoveCommand } from "./dep.ts";
import { doctorCommand } from "./doctor.ts";
import { duplicateCommand, duplicatesCommand, supersedeCommand } from "./duplicate.ts";
import { epicCloseCommand, epicStatusCommand } from "./epic.ts";
import { exportCommand, importCommand } from "./exchange.ts";
import { gateCheckCommand, gateCreateCommand, gateListCommand, gateResolveCommand, gateShowCommand } from "./gate.ts";
import { gcCommand } from "./gc.ts";
import { helpCommand, versionCommand } from "./help.ts";
import { diffCommand, historyCommand } from "./history.ts";
import {
  labelAddCommand,
  labelListAllCommand,
  labelListCommand,
  labelPropagateCommand,
  labelRemoveCommand,
} from "./label.ts";
import { lintCommand } from "./lint.ts";
import { listCommand } from "./list.ts";
import { forgetCommand, memoriesCommand, recallCommand, rememberCommand } from "./memory.ts";
import { mergeDriverCommand, mergeDriverInstallCommand } from "./merge-driver.ts";
import { infoCommand, initCommand, whereCommand } from "./place.ts";
import { primeCommand, quickstartCommand } from "./prime.ts";
import { queryCommand } from "./query.ts";
import { readyCommand } from "./ready.ts";
import { relateCommand, unrelateCommand } from "./relate.ts";
import { restoreCommand } from "./restore.ts";
import { countCommand, searchCommand, staleCommand } from "./search.ts";
import { childrenCommand, showCommand } from "./show.ts";
import { setStateCommand, stateCommand, stateListCommand } from "./state.ts";
import { statsCommand } from "./stats.ts";
import { flushCommand, pullCommand, syncCommand } from "./sync.ts";
import { unclaimCommand } from "./unclaim.ts";
import {
  assignCommand,
  claimCommand,
  noteCommand,
  priorityCommand,
  promoteCommand,
  tagCommand,
} from "./update-words.ts";
import { updateCommand } from "./update.ts";

/** Every command, in the order in which help shows them. */
export const commands: readonly BdCommand[] = [
  createCommand,
  quickCommand,
  showCommand,
  updateCommand,
  claimCommand,
  assignCommand,
  priorityCommand,
  noteCommand,
  tagCommand,
  closeCommand,
  reopenCommand,
  deleteCommand,
  duplicateCommand,
  supersedeCommand,
  deferCommand,
  undeferCommand,
  heartbeatCommand,
  unclaimCommand,
  reclaimCommand,
  promoteCommand,
  epicCloseCommand,
  batchCommand,
  readyCommand,
  listCommand,
  childrenCommand,
  searchCommand,
  queryCommand,
  blockedCommand,
  countCommand,
  staleCommand,
  statsCommand,
  epicStatusCommand,
  duplicatesCommand,
  historyCommand,
  lintCommand,
  depCommand,
  depAddCommand,
  depRemoveCommand,
  depListCommand,
  depTreeCommand,
  depCyclesCommand,
  relateCommand,
  unrelateCommand,
  gateCreateCommand,
  gateListCommand,
  gateShowCommand,
  gateResolveCommand,
  gateCheckCommand,
  labelAddCommand,
  labelRemoveCommand,
  labelPropagateCommand,
  labelListCommand,
  labelListAllCommand,
  stateCommand,
  stateListCommand,
  setStateCommand,
  commentCommand,
  commentsCommand,
  importCommand,
  exportCommand,
  syncCommand,
  pullCommand,
  flushCommand,
  initCommand,
  infoCommand,
  whereCommand,
  configSetCommand,
  configGetCommand,
  configListCommand,
  configUnsetCommand,
  doctorCommand,
  compactCommand,
  restoreCommand,
  gcCommand,
  diffCommand,
  rememberCommand,
  memoriesCommand,
  recallCommand,
  forgetCommand,
  mergeDriverCommand,
  mergeDriverInstallCommand,
  helpCommand(() => commands),
  quickstartCommand,
  primeCommand,
  typesCommand,
  statusesCommand,
  versionCommand,
];
