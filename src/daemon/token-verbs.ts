import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import type { Verb } from "../resource/verb.ts";
import { type KubeconfigEntry, kubeconfigText } from "../server/kubeconfig.ts";
import { argumentsOf } from "../verbs/arguments.ts";
import type { TokenRegistry } from "./session-tokens.ts";

const NAME = /^[a-z0-9]([-a-z0-9._@]{0,61}[a-z0-9])?$/;

const createArguments = z.strictObject({
  name: z.string().regex(NAME, { error: "must be lower-case letters, digits, '.', '_', '@' and '-'" }),
  role: z.enum(["view", "edit", "admin"]).default("view"),
  email: z.email().optional(),
  kubeconfig: z.boolean().default(false),
});
const nameArguments = z.strictObject({ name: z.string() });

/** Tokens of people: who else may use this town, and how far. */
export function tokenVerbs(tokens: TokenRegistry, entry: () => KubeconfigEntry): readonly Verb[] {
  return [
    {
      name: "token create",
      summary: "give a person a token: role view, edit or admin",
      needs: "admin",
      async run({ args }) {
        const { name, role, email, kubeconfig } = argumentsOf("token create", createArguments, args);
        if (name === "overseer")
          throw new ApiStatusError(
            409,
            "Conflict",
            "the overseer's token lies in the state directory and is not issued anew",
            { hint: "`town kubeconfig` prints a kubeconfig with it; for somebody else choose another name" },
          );
        const token = await tokens.issuePerson({ name, role, ...(email === undefined ? {} : { email }) });
        const found = { ...entry(), token };
        return { text: kubeconfig ? kubeconfigText(found).trimEnd() : token, data: { name, role, token } };
      },
    },
    {
      name: "token list",
      summary: "people with a token and their roles",
      needs: "admin",
      run: () => {
        const people = tokens.people();
        const width = Math.max(4, ...people.map((person) => person.name.length));
        const rows = people.map(
          (person) => `${person.name.padEnd(width)}   ${person.role.padEnd(5)}   ${person.email ?? "<none>"}`,
        );
        return Promise.resolve({ text: [`${"NAME".padEnd(width)}   ROLE    EMAIL`, ...rows].join("\n"), data: people });
      },
    },
    {
      name: "token revoke",
      summary: "make a person's token void",
      needs: "admin",
      async run({ args }) {
        const { name } = argumentsOf("token revoke", nameArguments, args);
        if (!(await tokens.revokePerson(name)))
          throw new ApiStatusError(404, "NotFound", `nobody called ${name} has a token`, { hint: "town token list" });
        return { text: `the token of ${name} is void` };
      },
    },
  ];
}
