import { z } from "zod";
import { parse, stringify } from "../manifests/yaml-text.ts";
import type { Files } from "../ports/files.ts";
import type { Verb } from "../resource/verb.ts";
import { type KubeconfigEntry, kubeconfigText, mergeKubeconfigFile, writeKubeconfig } from "../server/kubeconfig.ts";
import { argumentsOf } from "../verbs/arguments.ts";

const kubeconfigArguments = z.strictObject({
  /** Absolute path of a file of its own to write. */
  output: z.string().optional(),
  /** Absolute path of a kubeconfig to add the town to. */
  merge: z.string().optional(),
});

/** `town kubeconfig`: how kubectl reaches this town; printed, written, or merged into a person's own file. */
export function kubeconfigVerb(entry: () => Promise<KubeconfigEntry>, files: Files): Verb {
  return {
    name: "kubeconfig",
    summary: "how kubectl reaches this town: print it, --output FILE, or --merge FILE",
    needs: "admin",
    async run({ args }) {
      const options = argumentsOf("kubeconfig", kubeconfigArguments, args);
      const found = await entry();
      if (options.output !== undefined) {
        await writeKubeconfig(files, options.output, found);
        return {
          text: `wrote ${options.output}; use it: kubectl --kubeconfig ${options.output} get agents -A`,
          data: { path: options.output },
        };
      }
      if (options.merge !== undefined) {
        await mergeKubeconfigFile(files, options.merge, found, { parse, stringify });
        return {
          text: `added context ${found.name} to ${options.merge}; use it: kubectl --context ${found.name} get agents -A`,
          data: { path: options.merge, context: found.name },
        };
      }
      return { text: kubeconfigText(found).trimEnd() };
    },
  };
}
