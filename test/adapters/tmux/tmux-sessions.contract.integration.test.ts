import { describe } from "vitest";
import { sessionsContract } from "../../ports/sessions.contract.ts";
import { pause, programsBelow, shellArgv } from "../sessions/real-programs.ts";
import { tmuxInstalled, tmuxWorld } from "./tmux-world.ts";

describe.skipIf(!tmuxInstalled)("tmux runtime", () => {
  describe.each(["proc", "ps"] as const)("processes by %s", (processSource) => {
    sessionsContract("tmux", async () => {
      const world = tmuxWorld();
      return {
        sessions: await world.open({ processSource }),
        canType: true,
        argv: shellArgv,
        connect: () => world.open({ processSource }),
        kill: async (session) => {
          for (const program of await programsBelow(session.pid ?? -1)) process.kill(program, "SIGKILL");
        },
        pause: () => pause(15),
        during: (task) => task,
        dispose: () => world.dispose(),
      };
    });
  });
});
