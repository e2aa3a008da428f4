import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { isPluginToken } from "../work/plugin-run.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { SessionTokens, TownLayout } from "../ports/loop-ports.ts";
import type { Random } from "../ports/random.ts";
import { accessOf } from "../resource/agent-access.ts";
import type { Caller } from "../resource/caller.ts";

const FORMAT_VERSION = 1;

const registryFormat = z.object({
  version: z.literal(FORMAT_VERSION),
  sessions: z.array(
    z.object({
      namespace: z.string(),
      agent: z.string(),
      identity: z.string(),
      generation: z.number(),
      permissions: z.array(z.string()),
      hash: z.string(),
    }),
  ),
  people: z
    .array(
      z.object({
        name: z.string(),
        email: z.string().optional(),
        role: z.enum(["view", "edit", "admin"]),
        hash: z.string(),
      }),
    )
    .default([]),
});

/** A person with a token of their own. */
export type TokenHolder = Omit<z.infer<typeof registryFormat>["people"][number], "hash">;

type Issued = z.infer<typeof registryFormat>["sessions"][number];

/**
 * Tokens of agent sessions and of the overseer. A session's token is in a 0600 file of its own and hashed in the
 * registry, so that sessions go on after the controller was restarted. One token an agent: issuing voids the former.
 */
export class TokenRegistry implements SessionTokens {
  readonly #files: Files;
  readonly #random: Random;
  readonly #layout: TownLayout;
  readonly #sessions = new Map<string, Issued>();
  readonly #people = new Map<string, z.infer<typeof registryFormat>["people"][number]>();
  #overseer: { readonly hash: string; readonly email: string | undefined } | undefined;
  readonly #clock: Clock;
  readonly #openedMs: number;
  readonly #heard = new Map<string, number>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(files: Files, random: Random, layout: TownLayout, clock: Clock) {
    this.#clock = clock;
    this.#openedMs = clock.monotonicMs();
    this.#files = files;
    this.#random = random;
    this.#layout = layout;
  }

  /** Reads what was issued before and makes the overseer's token if there is none. A damaged registry only voids session tokens. */
  static async open(
    files: Files,
    random: Random,
    layout: TownLayout,
    overseerEmail: string | undefined,
    clock: Clock,
  ): Promise<TokenRegistry> {
    const registry = new TokenRegistry(files, random, layout, clock);
    await files.makeDirectory(`${layout.state}/tokens/sessions`, { mode: 0o700 });
    const path = `${layout.state}/tokens/overseer`;
    let token = (await files.readText(path))?.trim();
    if (token === undefined || token === "") {
      token = random.secret(32);
      await files.writeAtomic(path, `${token}\n`, { mode: 0o600 });
    }
    registry.#overseer = { hash: hashOf(token), email: overseerEmail };
    const parsed = registryFormat.safeParse(parseJson(await files.readText(registry.#path)));
    if (parsed.success) {
      for (const issued of parsed.data.sessions) registry.#sessions.set(`${issued.namespace}/${issued.agent}`, issued);
      for (const person of parsed.data.people) registry.#people.set(person.name, person);
    }
    return registry;
  }

  get #path(): string {
    return `${this.#layout.state}/tokens/registry.json`;
  }

  async issue(session: {
    readonly namespace: string;
    readonly agent: string;
    readonly identity: string;
    readonly generation: number;
    readonly permissions: readonly string[];
  }): Promise<void> {
    const token = this.#random.secret(32);
    await this.#files.writeAtomic(this.#layout.sessionToken(session.namespace, session.agent), `${token}\n`, {
      mode: 0o600,
    });
    this.#sessions.set(`${session.namespace}/${session.agent}`, {
      ...session,
      permissions: [...session.permissions],
      hash: hashOf(token),
    });
    this.#heard.set(`${session.namespace}/${session.agent}`, this.#clock.monotonicMs());
    await this.#save();
  }

  heardMs(namespace: string, agent: string): number {
    return this.#heard.get(`${namespace}/${agent}`) ?? this.#openedMs;
  }

  async revoke(namespace: string, agent: string): Promise<void> {
    this.#heard.delete(`${namespace}/${agent}`);
    if (!this.#sessions.delete(`${namespace}/${agent}`)) return;
    await this.#files.remove(this.#layout.sessionToken(namespace, agent));
    await this.#save();
  }

  held(): Promise<readonly { readonly namespace: string; readonly agent: string; readonly generation: number }[]> {
    return Promise.resolve(
      [...this.#sessions.values()].map(({ namespace, agent, generation }) => ({ namespace, agent, generation })),
    );
  }

  /** The overseer's token, as it lies in the state directory. */
  async overseerToken(): Promise<string> {
    return ((await this.#files.readText(`${this.#layout.state}/tokens/overseer`)) ?? "").trim();
  }

  /** Gives a person a token; a former one of the same name is void from now on. The token is returned once and kept as a hash. */
  async issuePerson(person: TokenHolder): Promise<string> {
    const token = this.#random.secret(32);
    this.#people.set(person.name, { ...person, hash: hashOf(token) });
    await this.#save();
    return token;
  }

  /** False when there is nobody of that name. */
  async revokePerson(name: string): Promise<boolean> {
    if (!this.#people.delete(name)) return false;
    await this.#save();
    return true;
  }

  people(): readonly TokenHolder[] {
    return [...this.#people.values()].map(({ name, email, role }) => ({
      name,
      role,
      ...(email === undefined ? {} : { email }),
    }));
  }

  /** Address of the overseer, or of a person with a token. */
  emailOf(name: string): string | undefined {
    return name === "overseer" ? this.#overseer?.email : this.#people.get(name)?.email;
  }

  /** Who holds a token; undefined for one that was never issued or is void. */
  caller(token: string): Caller | undefined {
    const hash = hashOf(token);
    if (this.#overseer !== undefined && same(this.#overseer.hash, hash)) {
      return {
        name: "overseer",
        role: "admin",
        ...(this.#overseer.email === undefined ? {} : { email: this.#overseer.email }),
      };
    }
    for (const person of this.#people.values()) {
      if (!same(person.hash, hash)) continue;
      return { name: person.name, role: person.role, ...(person.email === undefined ? {} : { email: person.email }) };
    }
    for (const issued of this.#sessions.values()) {
      if (!same(issued.hash, hash)) continue;
      this.#heard.set(`${issued.namespace}/${issued.agent}`, this.#clock.monotonicMs());
      return {
        name: issued.identity,
        role: "agent",
        permissions: accessOf(issued.permissions),
        ...(isPluginToken(issued.agent)
          ? {}
          : { session: { namespace: issued.namespace, agent: issued.agent, generation: issued.generation } }),
      };
    }
    return undefined;
  }

  /** One write at a time; the last one wins with everything known by then. */
  #save(): Promise<void> {
    const write = this.#saving
      .catch(() => undefined)
      .then(() =>
        this.#files.writeAtomic(
          this.#path,
          `${JSON.stringify({ version: FORMAT_VERSION, sessions: [...this.#sessions.values()], people: [...this.#people.values()] })}\n`,
          { mode: 0o600 },
        ),
      );
    this.#saving = write;
    return write;
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function same(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
