import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProcessSessions } from "../../../src/adapters/process-sessions/process-sessions.ts";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { sessionsContract } from "../../ports/sessions.contract.ts";
import { listeningLog, pause, programsBelow, shellArgv } from "../sessions/real-programs.ts";

for (const processSource of ["proc", "ps"] as const) {
  sessionsContract(`process (${processSource})`, async () => {
    const home = mkdtempSync(join(tmpdir(), "town-process-"));
    const opened: ProcessSessions[] = [];
    const open = async (): Promise<ProcessSessions> => {
      const sessions = await ProcessSessions.open({
        stateDirectory: join(home, "state"),
        clock: systemClock,
        log: listeningLog(),
        processSource,
      });
      opened.push(sessions);
      return sessions;
    };
    return {
      sessions: await open(),
      canType: false,
      argv: shellArgv,
      connect: open,
      kill: async (session) => {
        for (const program of await programsBelow(session.pid ?? -1)) process.kill(program, "SIGKILL");
      },
      pause: () => pause(15),
      during: (task) => task,
      dispose: async () => {
        for (const sessions of opened) await sessions.close();
        const last = await open();
        for (const session of (await last.observe()).sessions)
          await last.stop(session.name, session.generation, { graceMs: 100 });
        await last.close();
        rmSync(home, { recursive: true, force: true });
      },
    };
  });
}
