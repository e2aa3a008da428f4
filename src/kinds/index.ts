import type { LoopPorts } from "../ports/loop-ports.ts";
import type { RunnableController } from "../resource/controller.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { agents } from "./agent/agent.kind.ts";
import { hooks } from "./agent/hooks.kind.ts";
import { agent } from "./agent/agent.schema.ts";
import { agentPools } from "./agent-pool/agent-pool.kind.ts";
import { agentPool } from "./agent-pool/agent-pool.schema.ts";
import { bead } from "./bead/bead.schema.ts";
import { collection } from "./collection/collection.kind.ts";
import { convoys } from "./convoy/convoy.kind.ts";
import { convoy } from "./convoy/convoy.schema.ts";
import { mergeRequest } from "./merge-request/merge-request.schema.ts";
import { merges } from "./merge-request/merges.kind.ts";
import { molecule } from "./molecule/molecule.schema.ts";
import { providers } from "./provider/provider.kind.ts";
import { provider } from "./provider/provider.schema.ts";
import { reserves } from "./agent/reserve/reserve.kind.ts";
import { rigs } from "./rig/rig.kind.ts";
import { rig } from "./rig/rig.schema.ts";
import { role } from "./role/role.schema.ts";
import { escalation } from "./escalation/escalation.schema.ts";
import { formula } from "./formula/formula.schema.ts";
import { message } from "./message/message.schema.ts";
import { patrol } from "./patrol/patrol.schema.ts";
import { plugins } from "./plugin/plugin.kind.ts";
import { plugin } from "./plugin/plugin.schema.ts";
import { sandbox } from "./sandbox/sandbox.schema.ts";
import { session } from "./session/session.schema.ts";
import { source } from "./source/source.schema.ts";
import { usage } from "./agent/usage/usage.kind.ts";
import { town } from "./town/town.schema.ts";
import { UNSERVED } from "./unserved-loops.ts";

/** All kinds of Town, desired ones first. */
export const KINDS: readonly KindDefinition[] = [
  town,
  rig,
  role,
  provider,
  agentPool,
  convoy,
  patrol,
  plugin,
  source,
  bead,
  agent,
  molecule,
  mergeRequest,
  message,
  escalation,
  formula,
  session,
  sandbox,
];

/** Loops that are made of kinds alone; the source loop is added where the manifests are read. */
export const CONTROLLERS: readonly RunnableController<LoopPorts>[] = [
  rigs,
  providers,
  agentPools,
  agents,
  reserves,
  usage,
  hooks,
  convoys,
  merges,
  collection,
  plugins,
  ...UNSERVED,
];
