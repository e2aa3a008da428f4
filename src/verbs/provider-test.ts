import { z } from "zod";
import { widened } from "../domain/agent-program/version.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { ProviderSpec, ProviderStatus } from "../kinds/provider/provider.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb } from "../resource/verb.ts";
import { type Finding, reportText } from "../work/conformance.ts";
import { ConformanceRun } from "./conformance-run.ts";
import { argumentsOf } from "./arguments.ts";

const testArguments = z.strictObject({ name: z.string().min(1) });

/**
 * `town provider test NAME`: starts the installed program in a repository of its own and checks what its manifest says of
 * it. It asks the real model a few words. A version that passed counts as tested on this machine.
 */
export function providerTestVerb(ports: LoopPorts): Verb {
  return {
    name: "provider test",
    summary: "check an installed agent program against its provider",
    needs: "admin",
    async run({ args }) {
      const { name } = argumentsOf("provider test", testArguments, args);
      const provider = ports.objects.get({ kind: "Provider", name }) as
        | TownObject<ProviderSpec, ProviderStatus>
        | undefined;
      if (provider === undefined)
        throw new ApiStatusError(404, "NotFound", `no provider ${name}`, { hint: "town get providers" });
      const { program, version, tested } = provider.status ?? {};
      if (provider.spec.command[0]?.startsWith("{") === true)
        throw new ApiStatusError(409, "ProgramShipped", `the program of provider ${name} comes with Town`, {
          hint: "nothing has to be installed for it: town get providers",
        });
      if (program === undefined)
        throw new ApiStatusError(409, "ProgramNotFound", `the program of provider ${name} is not installed here`, {
          hint: provider.spec.install ?? `town describe provider/${name}`,
        });
      const run = new ConformanceRun(provider, ports);
      const findings = await findingsOf(run);
      const passed = findings.every(({ result }) => result !== "Failed");
      if (passed && version !== undefined)
        await ports.objects.patchStatus(
          { kind: "Provider", name },
          { tested: widened(tested, version), testedTime: new Date(ports.clock.now()).toISOString() },
        );
      return {
        text: reportText(name, version, findings),
        data: { provider: name, version: version ?? null, passed, findings },
        exitCode: passed ? 0 : 1,
      };
    },
  };
}

async function findingsOf(run: ConformanceRun): Promise<readonly Finding[]> {
  try {
    return await run.all();
  } finally {
    await run.end();
  }
}
