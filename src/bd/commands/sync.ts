import { remoteOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import type { SyncSummary } from "../context.ts";
import { flag, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";

export const syncCommand: BdCommand = {
  name: "sync",
  group: "Store",
  summary: "exchange beads with a git remote: fetch, merge by field, push",
  flags: [
    text("remote", "NAME", "name or URL; default the setting sync.remote, else origin"),
    flag("no-push", "only take in what others pushed"),
    flag("flush-only", "only write the branch, exchange nothing"),
  ],
  writes: true,
  run: sync,
};

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
  return [
    `${paint("green", "✓")} ${pushed ? `Synced with ${remote}` : `Taken in from ${remote}`} at ${commit.slice(0, 12)}: ${changed.length} changed here`,
    ...rekeyed.map(({ from, to }) => `  ${from} was given twice; ours is now ${to}`),
  ].join("\n");
}

export const flushCommand: BdCommand = {
  name: "flush",
  group: "Store",
  summary: "write everything acknowledged to the branch now",
  writes: true,
  run: flush,
};

async function flush({ home, paint }: Call): Promise<Answer> {
  const { commit } = await home.flush();
  return { text: `${paint("green", "✓")} Flushed to ${commit.slice(0, 12)}`, json: { status: "ok", commit } };
}
