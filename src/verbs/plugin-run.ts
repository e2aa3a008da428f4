import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import type { PluginSpec } from "../kinds/plugin/plugin.schema.ts";
import { targetsOf } from "../work/plugin-targets.ts";
import { requestRun, runsOf } from "../work/plugin-run.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb } from "../resource/verb.ts";
import { authorOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { repeatable } from "./repeatable.ts";

const runArguments = z.strictObject({
  name: z.string().min(1),
  /** Rig, for a plugin that several rigs have, or that is about each. */
  rig: z.string().min(1).optional(),
});

/** `town plugin run NAME [--rig RIG]`: a run now, whatever the gate says; one that is in progress is not doubled. */
export function pluginRunVerb(ports: LoopPorts): Verb {
  return repeatable(ports, {
    name: "plugin run",
    summary: "run a plugin now, whatever its gate says",
    needs: "edit",
    async run({ caller, args }, once) {
      const { name, rig } = argumentsOf("plugin run", runArguments, args);
      const object = pluginNamed(name, rig, ports);
      const { namespaces, problem } = targetsOf(object, ports);
      const wanted = namespaces.filter((each) => rig === undefined || each === rig);
      if (problem !== undefined)
        throw new ApiStatusError(409, problem.reason, `plugin ${name}: ${problem.message}`, {
          hint: `town edit plugin/${object.metadata.name} -n ${object.metadata.namespace ?? "hq"}`,
        });
      if (wanted.length === 0)
        throw new ApiStatusError(404, "NotFound", `plugin ${name} is not about ${rig ?? "any rig yet"}`, {
          hint: `town describe plugin/${object.metadata.name} -n ${object.metadata.namespace ?? "hq"}`,
        });
      const plugin = `${object.metadata.namespace ?? "hq"}/${object.metadata.name}`;
      const begun: { readonly target: string; readonly run: string; readonly new: boolean }[] = [];
      for (const namespace of wanted) {
        const graph = ports.graphs.graph(namespace);
        if (graph === undefined)
          throw new ApiStatusError(503, "NotReady", `the work graph of ${namespace} is not open yet`, {
            hint: `town wait rig/${namespace} --for=condition=Ready, then again`,
          });
        const why = `${caller.name} asked`;
        const begin = (tx: GraphTransaction) => {
          const open = runsOf(tx, plugin).find((run) => run.isOpen);
          return open === undefined
            ? { run: requestRun(tx, object, { slot: `asked-${tx.now}`, dueMs: tx.now, why }).id, new: true }
            : { run: open.id, new: false };
        };
        const made = await graph.transact(authorOf(caller), begin, once.part(namespace));
        begun.push({ target: namespace, ...made });
      }
      return { text: begun.map(textOf).join("\n"), data: { plugin, runs: begun } };
    },
  });
}

function textOf({ target, run, new: isNew }: { readonly target: string; readonly run: string; readonly new: boolean }) {
  return isNew ? `${run} runs about ${target}` : `${run} about ${target} is in progress already`;
}

function pluginNamed(text: string, rig: string | undefined, ports: LoopPorts): TownObject<PluginSpec> {
  const all = ports.objects.list("Plugin") as readonly TownObject<PluginSpec>[];
  const named = all.filter(({ metadata }) =>
    [metadata.name, `${metadata.namespace ?? "hq"}/${metadata.name}`].includes(text),
  );
  const near = named.filter(({ metadata }) => metadata.namespace === rig);
  const [found, ...more] = near.length > 0 ? near : named;
  if (found === undefined)
    throw new ApiStatusError(404, "NotFound", `there is no plugin ${text}`, { hint: "town get plugins -A" });
  if (more.length > 0)
    throw new ApiStatusError(409, "Ambiguous", `several namespaces have a plugin ${text}`, {
      hint: `say which: ${[found, ...more].map(({ metadata }) => `${metadata.namespace ?? "hq"}/${metadata.name}`).join(" or ")}`,
    });
  return found;
}
