import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Verb } from "../resource/verb.ts";
import { agentCvVerb } from "../verbs/agent-cv.ts";
import { closeVerb } from "../verbs/close.ts";
import { doneVerb } from "../verbs/done.ts";
import { downVerb } from "../verbs/down.ts";
import { escalateVerb } from "../verbs/escalate.ts";
import { mailAckVerb, mailArchiveVerb, mailInboxVerb, mailReadVerb, mailThreadVerb } from "../verbs/mail-reading.ts";
import { mailReplyVerb, mailSendVerb, nudgeVerb } from "../verbs/mail-writing.ts";
import { handoffVerb } from "../verbs/handoff.ts";
import { hookVerb } from "../verbs/hook.ts";
import { joinVerb } from "../verbs/join.ts";
import { approveVerb, rejectVerb } from "../verbs/merge-verdict.ts";
import { molVerb } from "../verbs/molecule.ts";
import { nudgeDrainVerb } from "../verbs/nudge-drain.ts";
import { primeVerb } from "../verbs/prime.ts";
import { receiptVerb } from "../verbs/receipt.ts";
import { pluginRunVerb } from "../verbs/plugin-run.ts";
import { providerTestVerb } from "../verbs/provider-test.ts";
import { sandboxListVerb, sandboxVerb } from "../verbs/sandbox.ts";
import { slingVerb } from "../verbs/sling.ts";
import { attachVerb, peekVerb, tmuxVerb } from "../verbs/terminal.ts";

/** All verbs this daemon serves beside the resources. */
export function townVerbs(at: {
  readonly ports: LoopPorts;
  readonly stopLoops: () => Promise<void>;
  readonly more: readonly Verb[];
}): readonly Verb[] {
  const { ports } = at;
  return [
    primeVerb(ports),
    doneVerb(ports),
    closeVerb(ports),
    hookVerb(ports),
    handoffVerb(ports),
    joinVerb(ports),
    sandboxVerb(ports),
    sandboxListVerb(ports),
    slingVerb(ports),
    molVerb("current", ports),
    molVerb("progress", ports),
    agentCvVerb(ports),
    pluginRunVerb(ports),
    providerTestVerb(ports),
    approveVerb(ports),
    rejectVerb(ports),
    escalateVerb(ports),
    nudgeVerb(ports),
    nudgeDrainVerb(ports),
    receiptVerb(ports),
    mailSendVerb(ports),
    mailReplyVerb(ports),
    mailInboxVerb(ports),
    mailReadVerb(ports),
    mailThreadVerb(ports),
    mailAckVerb(ports),
    mailArchiveVerb(ports),
    attachVerb(ports),
    peekVerb(ports),
    tmuxVerb(ports),
    downVerb(ports, at.stopLoops),
    ...at.more,
  ];
}
