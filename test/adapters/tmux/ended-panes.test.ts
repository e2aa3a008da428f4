import { describe, expect, it } from "vitest";
import type { ControlClient } from "../../../src/adapters/tmux/control-client.ts";
import { LostSessions } from "../../../src/adapters/tmux/lost-sessions.ts";
import { PaneBook } from "../../../src/adapters/tmux/pane-book.ts";
import { StatusLine } from "../../../src/adapters/tmux/status-line.ts";
import type { TmuxServer } from "../../../src/adapters/tmux/tmux-server.ts";
import type { PaneRow } from "../../../src/adapters/tmux/pane-row.ts";
import type { SessionFiles, SessionRecord } from "../../../src/adapters/sessions/session-files.ts";
import { silentLog } from "../../../src/ports/log.ts";
import { virtualClock } from "../../turn.ts";

const RECORD: SessionRecord = {
  name: "api-polecat-toast",
  generation: 3,
  namespace: "api",
  agent: "toast",
  role: "polecat",
  command: "sh",
  startedAtMs: 0,
  leader: { pid: 7, startTime: "1", bootId: "boot" },
};
const ROW: PaneRow = {
  paneId: "%1",
  labels: RECORD,
  pid: 7,
  dead: false,
  deadStatus: undefined,
  deadSignal: undefined,
  lastActivityMs: 0,
  inMode: false,
  title: "",
};

/** Exit codes as shims leave them. */
function filesWith(codes: { code: number | undefined }): SessionFiles {
  return { exitCode: () => codes.code, exitsLeft: () => () => codes.code !== undefined } as unknown as SessionFiles;
}

function clientListing(lines: () => readonly string[]): ControlClient {
  return { request: () => Promise.resolve(lines()) } as unknown as ControlClient;
}

describe("what is remembered of ended panes", () => {
  it("given a dead pane that tmux removed, when it is told again, then it is news again: nothing is kept of what is not listed", async () => {
    let listed: readonly string[] = ["api-polecat-toast.3"];
    const panes = new PaneBook({ clock: virtualClock(), files: filesWith({ code: 0 }), serverPid: () => undefined });
    const client = clientListing(() => listed);
    expect(await panes.newlyDead(client)).toBe(true);
    expect(await panes.newlyDead(client)).toBe(false);
    listed = [];
    expect(await panes.newlyDead(client)).toBe(false);
    listed = ["api-polecat-toast.3"];
    expect(await panes.newlyDead(client)).toBe(true);
  });

  it("given a pane whose exit is known, when a list is without it, then its exit is forgotten", async () => {
    const codes: { code: number | undefined } = { code: 4 };
    const panes = new PaneBook({ clock: virtualClock(), files: filesWith(codes), serverPid: () => undefined });
    const client = clientListing(() => []);
    expect(await panes.observedAll([ROW], client)).toMatchObject([{ state: "Exited", exitCode: 4 }]);
    codes.code = undefined;
    expect(await panes.observedAll([ROW], client)).toMatchObject([{ state: "Exited", exitCode: 4 }]);
    await panes.observedAll([], client);
    expect(await panes.observedAll([ROW], client)).toMatchObject([{ state: "Running" }]);
  });

  it("given a status that was set on a pane, when the pane was gone for a while, then it is set again: nothing is kept of what is not listed", async () => {
    let rows: readonly PaneRow[] = [ROW];
    const asked: string[] = [];
    const client = { request: (text: string) => Promise.resolve(void asked.push(text)) };
    const server = { reach: () => Promise.resolve({ state: "Up", client }) } as unknown as TmuxServer;
    const line = new StatusLine(server, { list: () => Promise.resolve(rows) } as unknown as PaneBook);
    const show = async (): Promise<number> => {
      asked.length = 0;
      await line.show("a town", new Map([[RECORD.name, "api-1"]]));
      return asked.length;
    };
    expect([await show(), await show()]).toEqual([2, 0]);
    rows = [];
    expect(await show()).toBe(0);
    rows = [ROW];
    expect(await show()).toBe(1);
  });

  it("given a session that lost its pane and ended, when it is lost no more, then it is forgotten", async () => {
    let living: readonly number[] = [];
    const lost = new LostSessions({
      clock: virtualClock(),
      log: silentLog,
      files: filesWith({ code: undefined }),
      leads: () => Promise.resolve(true),
      living: () => Promise.resolve(living),
      end: () => Promise.resolve(),
      changed: () => undefined,
    });
    expect((await lost.observe([RECORD])).sessions).toMatchObject([{ state: "Exited" }]);
    living = [7];
    expect((await lost.observe([RECORD])).sessions).toMatchObject([{ state: "Exited" }]);
    await lost.observe([]);
    expect((await lost.observe([RECORD])).sessions).toMatchObject([{ state: "Running" }]);
  });
});
