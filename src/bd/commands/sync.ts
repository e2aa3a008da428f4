import { remoteOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import type { SyncSummary } from "../context.ts";
import { flag, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { counted } from "../output/counted.ts";

/** Other versions take a message for the commit that an exchange makes. */
const messageFlag = text("message", "TEXT", "not kept: the commits say themselves what changed", "m");
const unusedMessage = "Note: --message is not kept: commits of the work branch say themselves what changed.";

export const syncCommand: BdCommand = {
  name: "sync",
  aliases: ["dolt push"],
  group: "Store",
  summary: "exchange beads with a git remote: fetch, merge by field, push",
  flags: [
    text("remote", "NAME", "name or URL; default the setting sync.remote, else origin"),
    flag("no-push", "only take in what others pushed"),
    flag("flush-only", "only write the branch, exchange nothing"),
    messageFlag,
  ],
  writes: true,
  run: async (call) => noted(call, await sync(call)),
};

export const pullCommand: BdCommand = {
  name: "dolt pull",
  group: "Store",
  summary: "only take in what others pushed: bd sync --no-push",
  flags: [text("remote", "NAME", "name or URL; default the setting sync.remote, else origin")],
  writes: true,
  run: (call) => sync({ ...call, flags: call.flags.with("no-push", "true") }),
};

function noted({ flags }: Call, answer: Answer): Answer {
  return flags.has("message") ? { ...answer, notes: [...(answer.notes ?? []), unusedMessage] } : answer;
}

async function sync(call: Call): Promise<Answer> {
  const { flags, home, context } = call;
  const remote = await remoteOf(home, context, flags.text("remote"));
  if (flags.isSet("flush-only")) return flush(call);
  const isUrl = remote.includes("/") || remote.includes(":");
  if (!isUrl && !(await context.tools.hasRemote(home, remote))) {
    if (remote !== "origin" || flags.has("remote"))
      throw usageError(`there is no remote "${remote}"`, "git remote add NAME URL");
    const flushed = await flush(call);
    return { ...flushed, notes: ["Note: this repository has no remote to sync with; the branch was written."] };
  }
  const push = !flags.isSet("no-push");
  const summary = await context.tools.sync(home, {
    remote,
    push,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  return {
    text: syncText(summary, remote, call),
    json: {
      status: "ok",
      remote,
      commit: summary.commit,
      pushed: summary.pushed,
      changed: summary.changed,
      lost_claims: summary.lostClaims,
      rekeyed: summary.rekeyed,
      refused: summary.refused,
    },
    notes: [
      ...summary.lostClaims.map(
        ({ id, assignee, winner }) =>
          `Claim lost: ${id} was claimed by ${winner ?? "somebody"} before ${assignee}; stop working on it.`,
      ),
      ...summary.refused.map((place) => `Warning: ${place} is no valid bead; set aside`),
      ...(push && !summary.pushed ? ["Note: nothing was pushed; this store does not leave this machine."] : []),
    ],
  };
}

function syncText({ commit, pushed, changed, rekeyed }: SyncSummary, remote: string, { paint }: Call): string {
  const cameIn = changed.length === 0 ? "nothing new came in" : `${counted(changed.length, "bead")} came in`;
  return [
    `${paint("green", "✓")} ${pushed ? `Synced with ${remote}` : `Taken in from ${remote}`} at ${commit.slice(0, 12)}: ${cameIn}`,
    ...rekeyed.map(({ from, to }) => `  ${from} was given twice; ours is now ${to}`),
  ].join("\n");
}

export const flushCommand: BdCommand = {
  name: "flush",
  aliases: ["dolt commit", "vc commit"],
  group: "Store",
  summary: "write everything acknowledged to the branch now",
  flags: [messageFlag],
  writes: true,
  run: async (call) => noted(call, await flush(call)),
};

async function flush({ home, paint }: Call): Promise<Answer> {
  const { commit } = await home.flush();
  return { text: `${paint("green", "✓")} Flushed to ${commit.slice(0, 12)}`, json: { status: "ok", commit } };
}
