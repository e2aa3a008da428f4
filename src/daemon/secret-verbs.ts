import { z } from "zod";
import { ApiStatusError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import type { TownLayout } from "../ports/loop-ports.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { humanDuration } from "../resource/human-duration.ts";
import { keyOf, keyText } from "../resource/object-meta.ts";
import type { Verb } from "../resource/verb.ts";
import { argumentsOf } from "../verbs/arguments.ts";
import { SECRET_NAME, secretFile } from "../work/secrets.ts";

const MAX_LENGTH = 64 * 1024;
const name = z.string().regex(SECRET_NAME, { error: "must be lower-case letters, digits, '-' and '.'" });
const setArguments = z.strictObject({
  name,
  value: z.string().min(1, { error: "the value is empty: pipe it in" }).max(MAX_LENGTH),
});
const deleteArguments = z.strictObject({ name });

/** Kinds whose `spec.env` may refer to secrets. */
const REFERRING = ["Town", "Rig", "Provider", "AgentPool"] as const;

interface SecretParts {
  readonly files: Files;
  readonly layout: TownLayout;
  readonly store: ObjectStore;
  readonly now: () => number;
}

/**
 * Secrets for `valueFrom.secretRef`: one 0600 file each in the state directory, never in git, an argument, a log or an
 * Event. Values go in and are read by sessions; no verb gives one out again.
 */
export function secretVerbs(parts: SecretParts): readonly Verb[] {
  const { files, layout, store, now } = parts;
  const directory = secretFile(layout, "").replace(/\/$/, "");
  return [
    {
      name: "secret set",
      summary: "keep a value for valueFrom.secretRef",
      needs: "admin",
      async run({ args }) {
        const options = argumentsOf("secret set", setArguments, args);
        const path = secretFile(layout, options.name);
        const known = (await files.stat(path)) !== undefined;
        await files.makeDirectory(directory, { mode: 0o700 });
        await files.writeAtomic(path, options.value.replace(/\r?\n$/, ""), { mode: 0o600 });
        const users = usersOf(options.name, store);
        const note =
          users.length === 0
            ? `; use it: valueFrom: { secretRef: { name: ${options.name} } }`
            : `; sessions that start from now on get it`;
        return { text: `secret ${options.name} ${known ? "replaced" : "kept"}${note}`, data: { name: options.name } };
      },
    },
    {
      name: "secret list",
      summary: "names of the secrets, and what uses them",
      needs: "admin",
      async run() {
        const rows: { name: string; age: string; usedBy: readonly string[] }[] = [];
        for (const found of await files.list(directory)) {
          const stat = await files.stat(`${directory}/${found}`);
          if (stat === undefined || !SECRET_NAME.test(found)) continue;
          rows.push({ name: found, age: humanDuration(now() - stat.modifiedMs), usedBy: usersOf(found, store) });
        }
        if (rows.length === 0) return { text: "no secrets; town secret set NAME < FILE", data: [] };
        const width = Math.max(4, ...rows.map((row) => row.name.length));
        const lines = rows.map(
          (row) => `${row.name.padEnd(width)}   ${row.age.padEnd(5)}   ${row.usedBy.join(", ") || "<none>"}`,
        );
        return { text: [`${"NAME".padEnd(width)}   AGE     USED BY`, ...lines].join("\n"), data: rows };
      },
    },
    {
      name: "secret delete",
      summary: "forget a secret",
      needs: "admin",
      async run({ args }) {
        const options = argumentsOf("secret delete", deleteArguments, args);
        const path = secretFile(layout, options.name);
        if ((await files.stat(path)) === undefined)
          throw new ApiStatusError(404, "NotFound", `there is no secret ${options.name}`, { hint: "town secret list" });
        await files.remove(path);
        const users = usersOf(options.name, store);
        return {
          text: `secret ${options.name} deleted`,
          ...(users.length === 0 ? {} : { errorText: `Warning: ${users.join(", ")} still refers to it` }),
        };
      },
    },
  ];
}

interface Referring {
  readonly env?: readonly { readonly valueFrom?: { readonly secretRef?: { readonly name: string } } }[];
}

function usersOf(secret: string, store: ObjectStore): readonly string[] {
  return REFERRING.flatMap((kind) => store.list(kind))
    .filter((object) => (object.spec as Referring).env?.some((entry) => entry.valueFrom?.secretRef?.name === secret))
    .map((object) => keyText(keyOf(object)));
}
