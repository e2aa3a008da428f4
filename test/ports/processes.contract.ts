import { describe, expect, test } from "vitest";
import type { ProcessIdentity, Processes, RunOptions, RunResult } from "../../src/ports/processes.ts";

/** Programs that every machine under test has, by what they do. */
export interface MachinePrograms {
  /** Prints its arguments joined by spaces and a newline, exits 0. */
  readonly echo: readonly string[];
  /** Prints `out` to stdout and `err` to stderr in this order, exits 3. */
  readonly fails: readonly string[];
  /** Prints its input, exits 0. */
  readonly cat: readonly string[];
  /** Prints the names of its environment variables that start with TOWN_, one a line. */
  readonly env: readonly string[];
  /** Prints its working directory. */
  readonly pwd: readonly string[];
  /** Sleeps for ten minutes, ends at SIGTERM. */
  readonly sleeps: readonly string[];
  /** Sleeps for ten minutes and ignores SIGTERM. */
  readonly stubborn: readonly string[];
  /** Prints 200 KiB, the last line is `end`. */
  readonly chatty: readonly string[];
}

export interface ProcessesUnderTest {
  readonly processes: Processes;
  readonly programs: MachinePrograms;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Lets `ms` of time pass for running programs. */
  readonly pass: (ms: number) => Promise<void>;
  readonly readText: (path: string) => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

type Run = (argv: readonly string[], options?: Partial<RunOptions>) => Promise<RunResult>;

/** What every Processes promises. */
export function processesContract(name: string, make: () => Promise<ProcessesUnderTest>): void {
  const given = (title: string, body: (under: ProcessesUnderTest, run: Run) => Promise<void>): void => {
    test(title, async () => {
      const under = await make();
      try {
        await body(under, (argv, options) => runIn(under, argv, options));
      } finally {
        await under.close();
      }
    });
  };

  describe(`Processes contract: ${name}`, () => {
    given("given a program that ends well, when run, then code 0 and its output come", async (under, run) => {
      const result = await run([...under.programs.echo, "a b", "$HOME;c"]);
      expect(result).toMatchObject({ exitCode: 0, timedOut: false, aborted: false, output: "a b $HOME;c\n" });
      expect(result.signal).toBeUndefined();
    });

    given(
      "given a program that fails, when run, then its code and both streams in order come, and nothing is thrown",
      async (under, run) => {
        expect(await run(under.programs.fails)).toMatchObject({ exitCode: 3, output: "out\nerr\n" });
      },
    );

    given("given no such program or directory, when run, then it says which and how to go on", async (under, run) => {
      await expect(run(["no-such-program-xyz"])).rejects.toMatchObject({
        reason: "CommandNotFound",
        message: expect.stringContaining("no-such-program-xyz"),
      });
    });

    given("given input, when run, then the program reads it; without, it reads nothing", async (under, run) => {
      expect((await run(under.programs.cat, { input: "text ✓\n" })).output).toBe("text ✓\n");
      expect((await run(under.programs.cat)).output).toBe("");
    });

    given("given an environment and a directory, when run, then the program has exactly these", async (under, run) => {
      expect((await run(under.programs.env, { env: { ...under.env, TOWN_X: "1" } })).output).toBe("TOWN_X\n");
      expect((await run(under.programs.pwd)).output).toBe(`${under.cwd}\n`);
    });

    given("given long output, when run, then the last 64 KiB are kept", async (under, run) => {
      const { output } = await run(under.programs.chatty);
      expect(output.length).toBeLessThanOrEqual(64 * 1024);
      expect(output.length).toBeGreaterThan(60 * 1024);
      expect(output.endsWith("end\n")).toBe(true);
    });

    given(
      "given a log path, when run twice, then both outputs are appended there and not returned",
      async (under, run) => {
        const logPath = `${under.cwd}/run.log`;
        expect((await run(under.programs.fails, { logPath })).output).toBe("");
        await run([...under.programs.echo, "again"], { logPath });
        expect(await under.readText(logPath)).toBe("out\nerr\nagain\n");
      },
    );

    given(
      "given a time limit, when it is over, then the program is ended and the result says so",
      async (under, run) => {
        const running = run(under.programs.sleeps, { timeoutMs: 200 });
        await under.pass(1000);
        const result = await running;
        expect(result).toMatchObject({ timedOut: true, aborted: false });
        expect(result.exitCode).toBeUndefined();
        expect(result.signal).toBe("SIGTERM");
        expect(result.durationMs).toBeGreaterThanOrEqual(190);
      },
    );

    given("given a running program, when aborted, then it is ended and the result says so", async (under, run) => {
      const abort = new AbortController();
      const running = run(under.programs.sleeps, { signal: abort.signal });
      await under.pass(100);
      abort.abort();
      await under.pass(1000);
      expect(await running).toMatchObject({ timedOut: false, aborted: true });
    });

    given("given a signal that aborted before, when run, then the program does not live", async (under, run) => {
      const running = run(under.programs.sleeps, { signal: AbortSignal.abort() });
      await under.pass(1000);
      expect(await running).toMatchObject({ aborted: true });
    });

    given(
      "given a running program, when probed with its identity, then it is alive; when it has ended, dead",
      async (under, run) => {
        const { running, identity: known } = await begun(under, run, under.programs.sleeps);
        expect(await under.processes.identify(known.pid)).toEqual(known);
        expect(await under.processes.probe(known)).toBe("Alive");
        expect(await under.processes.probe({ ...known, startTime: "another" })).toBe("Dead");
        expect(await under.processes.probe({ ...known, bootId: "another" })).toBe("Dead");
        await under.processes.terminate({ ...known, startTime: "another" }, 0);
        expect(await under.processes.probe(known)).toBe("Alive");
        const ending = under.processes.terminate(known, 5000);
        await under.pass(1000);
        await ending;
        expect(await under.processes.probe(known)).toBe("Dead");
        expect((await running).signal).toBe("SIGTERM");
        expect(await under.processes.identify(known.pid)).toBeUndefined();
      },
    );

    given(
      "given a program that ignores SIGTERM, when terminated, then it is killed after the grace time",
      async (under, run) => {
        const { running, identity } = await begun(under, run, under.programs.stubborn);
        // For the program to say that it ignores the signal.
        await under.pass(2_000);
        const ending = under.processes.terminate(identity, 300);
        await under.pass(1000);
        await ending;
        expect(await running).toMatchObject({ signal: "SIGKILL", timedOut: false, aborted: false });
        expect(await under.processes.probe(identity)).toBe("Dead");
      },
    );

    given(
      "given a start that cannot be recorded, when run, then the program does not live and the error comes through",
      async (under, run) => {
        let identity: ProcessIdentity | undefined;
        const failing = run(under.programs.sleeps, {
          started: async (started) => {
            identity = started;
            throw new Error("disk full");
          },
        });
        await expect(failing).rejects.toThrow("disk full");
        await under.pass(500);
        expect(await under.processes.probe(identity as ProcessIdentity)).toBe("Dead");
      },
    );

    given(
      "given this process, when it asks for itself, then it is alive, and always the same",
      async ({ processes }) => {
        const self = await processes.self();
        expect(await processes.probe(self)).toBe("Alive");
        expect(await processes.self()).toEqual(self);
        expect(await processes.identify(self.pid)).toEqual(self);
        expect(await processes.identify(4_190_000)).toBeUndefined();
      },
    );
  });
}

/** A program that runs: whoever started it was told who it is. */
async function begun(
  under: ProcessesUnderTest,
  run: Run,
  argv: readonly string[],
): Promise<{ readonly running: Promise<RunResult>; readonly identity: ProcessIdentity }> {
  const told: ProcessIdentity[] = [];
  const running = run(argv, {
    started: async (started) => {
      told.push(started);
    },
  });
  for (;;) {
    const [identity] = told;
    if (identity !== undefined) return { running, identity };
    await under.pass(20);
  }
}

function runIn(
  under: ProcessesUnderTest,
  argv: readonly string[],
  options: Partial<RunOptions> = {},
): Promise<RunResult> {
  return under.processes.run(argv[0] ?? "", argv.slice(1), {
    cwd: under.cwd,
    env: under.env,
    timeoutMs: 60_000,
    ...options,
  });
}
