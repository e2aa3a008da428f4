import { TownError } from "../errors/town-error.ts";
import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { META } from "../domain/work-graph/bead.ts";
import type { VerbResult } from "../resource/verb.ts";
import type { SimulatedFault } from "./message-chaos.ts";
import { askedByPerson, saidByPerson } from "./person.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { checkStepsInOrder, checkTarget } from "./town-chaos.ts";
import { RIG, type TownWorld } from "./town-world.ts";

/** The repository of the second rig, `web`. */
export const WEB = "/web-project";
const PROJECTS = { api: RIG, web: WEB } as const;
const AGAIN_MS = 500;

interface Asked {
  readonly verb: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** One step after the other; each may use the ids that the ones before were answered with. */
interface Errand {
  readonly steps: readonly ((ids: readonly string[]) => Asked)[];
  /** Titles of the beads that it makes, each of which is to be merged. */
  readonly beads: readonly string[];
  /** The second waits for the first. */
  readonly waits?: readonly [string, string];
  readonly mail?: { readonly subject: string; readonly to: readonly string[] };
  readonly escalation?: string;
  readonly ids: string[];
  readonly made: (Asked & { readonly request: string; heard?: string })[];
}

/**
 * A person's requests that concern several stores, each named and made again under its name until its answer is heard,
 * while everything is killed.
 */
export class Errands {
  readonly #town: TownWorld;
  readonly #all: Errand[] = [];
  readonly #most: number;

  constructor(town: TownWorld, most: number) {
    this.#town = town;
    this.#most = most;
  }

  /** Makes the next request of an errand, or one again whose answer was not heard; the town may die in its midst. */
  readonly fault: SimulatedFault = async (town, random) => {
    const open = this.#all.filter((errand) => !isOver(errand));
    const isNew = open.length === 0 || (this.#all.length < this.#most && random.below(3) === 0);
    if (isNew && this.#all.length >= this.#most) return undefined;
    const errand = isNew ? this.#begin(random) : open[random.below(open.length)];
    if (errand === undefined || town.isDown) return undefined;
    const step = nextOf(errand);
    if (random.below(2) === 0) town.controller.life.dieAfter(1 + random.below(15));
    const answer = await saidByPerson(town, step.verb, { ...step.args, request: step.request });
    if (answer === undefined || (answer.exitCode ?? 0) !== 0) return `request ${step.request} without an answer`;
    const isLost = random.below(4) === 0;
    this.#hear(step, answer);
    if (isLost) return `answer to ${step.request} lost`;
    advance(errand, answer);
    return `request ${step.request}`;
  };

  #begin(random: SeededRandom): Errand {
    const number = this.#all.length + 1;
    const kinds = [slingOfTexts, waiterFirst, blockerFirst, letter, alarm];
    const errand = kinds[random.below(kinds.length)]?.(number) ?? alarm(number);
    this.#all.push(errand);
    return errand;
  }

  /** A request that is answered twice is answered the same. */
  #hear(step: Errand["made"][number], { text }: VerbResult): void {
    if (step.heard !== undefined && step.heard !== text)
      throw broken(`${step.request} was answered "${step.heard}" and then "${text}"`);
    step.heard = text;
  }

  /** What is left is asked for in peace, and everything once more: nothing may come of that. */
  async finish(): Promise<void> {
    for (const errand of this.#all) while (!isOver(errand)) advance(errand, await this.#answered(nextOf(errand)));
    await this.#settle();
    const before = this.#everything();
    for (const { made } of this.#all) for (const step of made) await this.#answered(step);
    const after = this.#everything();
    if (before !== after) throw broken(`requests that were made again changed ${before} to ${after}`);
  }

  async #answered(step: Errand["made"][number]): Promise<VerbResult> {
    let outcome: { readonly result: VerbResult } | { readonly error: unknown } | undefined;
    for (let tries = 0; tries < 60 && outcome === undefined; tries += 1) {
      void askedByPerson(this.#town, step.verb, { ...step.args, request: step.request })?.then(
        (result) => (outcome = { result }),
        (error: unknown) => (outcome = { error }),
      );
      await this.#town.clock.advance(AGAIN_MS);
    }
    if (outcome === undefined) throw broken(`${step.request} is never answered`);
    if ("error" in outcome) throw outcome.error;
    if ((outcome.result.exitCode ?? 0) !== 0) throw broken(`${step.request}: ${outcome.result.errorText}`);
    this.#hear(step, outcome.result);
    return outcome.result;
  }

  /** Until all that was asked for is merged. */
  async #settle(): Promise<void> {
    const titles = this.#titles();
    const isDone = (): boolean =>
      titles.every((title) => this.#work().some((bead) => bead.title === title && bead.status === "closed"));
    await this.#town.clock.runUntil(isDone, 3_600_000).catch(() => undefined);
    const open = titles.filter(
      (title) => !this.#work().some((bead) => bead.title === title && bead.status === "closed"),
    );
    if (open.length > 0) throw broken(`${open.join(", ")} never ended`);
  }

  #titles(): readonly string[] {
    return this.#all.flatMap(({ beads }) => beads);
  }

  #graphs() {
    return this.#town.controller.ports.graphs.all();
  }

  /** Beads that somebody asked for; what the town makes for itself has another type, or is a step. */
  #work(): readonly BeadRecord[] {
    return this.#graphs()
      .flatMap((graph) => graph.list({ type: ["task"] }))
      .filter(({ metadata }) => metadata?.[META.step] === undefined && metadata?.[META.convoy] === undefined);
  }

  #everything(): string {
    const records = [...this.#work(), ...this.#ofType("escalation"), ...this.#ofType("message")];
    return JSON.stringify(
      records
        .filter(({ ephemeral }) => ephemeral !== true)
        .map(({ id, title, status, comments, dependencies }) => ({ id, title, status, comments, dependencies })),
    );
  }

  #ofType(type: string): readonly BeadRecord[] {
    return this.#graphs().flatMap((graph) => graph.list({ type: [type] }));
  }

  /**
   * One bead, message and escalation for each that was asked for, each bead merged once and never before what it waits
   * for. Throws TownError `Invariant`.
   */
  async check(): Promise<void> {
    const titles = this.#titles();
    requireSame(
      "beads",
      titles,
      this.#work().map(({ title }) => title),
    );
    requireSame(
      "escalations",
      this.#all.flatMap(({ escalation }) => escalation ?? []),
      this.#ofType("escalation").map(({ title }) => title),
    );
    requireSame(
      "messages",
      this.#all.flatMap(({ mail }) => mail?.to.map((to) => `${mail.subject} to ${to}`) ?? []),
      this.#ofType("message").flatMap(({ title, assignee }) =>
        title.startsWith("Letter") ? `${title} to ${assignee}` : [],
      ),
    );
    for (const { waits } of this.#all) if (waits !== undefined) this.#checkOrder(waits);
    checkStepsInOrder(this.#town);
    for (const [namespace, path] of Object.entries(PROJECTS)) {
      const graph = this.#town.controller.ports.graphs.graph(namespace);
      const merged = graph
        ?.list({ type: ["task"] })
        .filter((bead) => String(bead.close_reason).startsWith("Merged in "));
      await checkTarget(
        this.#town,
        (merged ?? []).map(({ id }) => id),
        path,
      );
    }
  }

  #checkOrder([first, second]: readonly [string, string]): void {
    const [blocker, waiter] = [first, second].map((title) => this.#work().find((bead) => bead.title === title));
    const edges = (waiter?.dependencies ?? []).filter(({ depends_on_id: on }) => on === blocker?.id);
    if (edges.length !== 1) throw broken(`${second} has ${edges.length} edges to ${first}`);
    const beads = this.#town.worked.map(({ bead }) => bead);
    if (beads.indexOf(waiter?.id ?? "") < beads.lastIndexOf(blocker?.id ?? ""))
      throw broken(`${second} was worked on before ${first} had ended`);
  }
}

function isOver({ steps, ids }: Errand): boolean {
  return ids.length === steps.length;
}

/** The request that was made last, until its answer is heard; then the next one. */
function nextOf(errand: Errand): Errand["made"][number] {
  const at = errand.ids.length;
  const made = errand.made[at];
  if (made !== undefined) return made;
  const asked = errand.steps[at]?.([...errand.ids]);
  if (asked === undefined) throw broken("an errand has no step left");
  const step = {
    ...asked,
    request: `errand-${[...errand.beads, errand.mail?.subject, errand.escalation].join("-")}-${at}`,
  };
  errand.made.push(step);
  return step;
}

function advance(errand: Errand, { text }: VerbResult): void {
  errand.ids.push(text);
}

function errand(steps: Errand["steps"], of: Partial<Errand>): Errand {
  return { beads: [], ...of, steps, ids: [], made: [] };
}

const create = (title: string, rig: string, ...more: readonly string[]): Asked => ({
  verb: "bd",
  args: {
    argv: ["create", title, "-d", `write ${title.replaceAll(" ", "-")}.txt 1`, "--silent", "--rig", rig, ...more],
  },
});

/** New work for one rig, two at once. */
function slingOfTexts(number: number): Errand {
  const beads = [`Slung ${number}a`, `Slung ${number}b`];
  const texts = beads.map((title) => `${title}\nwrite ${title.replaceAll(" ", "-")}.txt 1`);
  return errand([() => ({ verb: "sling", args: { beads: texts, to: number % 2 === 0 ? "api" : "web" } })], { beads });
}

/** What waits is there before what it waits for, which is made with an edge in the other store. */
function waiterFirst(number: number): Errand {
  const [first, second] = [`Needed ${number}`, `Waiting ${number}`];
  return errand(
    [
      () => create(second, "web"),
      ([waiter]) => create(first, "api", "--deps", `blocks:${waiter}`),
      (ids) => ({ verb: "sling", args: { beads: ids } }),
    ],
    { beads: [first, second], waits: [first, second] },
  );
}

function blockerFirst(number: number): Errand {
  const [first, second] = [`Before ${number}`, `After ${number}`];
  return errand(
    [
      () => create(first, "web"),
      ([blocker]) => create(second, "api", "--deps", String(blocker)),
      (ids) => ({ verb: "sling", args: { beads: ids.toReversed() } }),
    ],
    { beads: [first, second], waits: [first, second] },
  );
}

/** A mail to readers in three stores. */
function letter(number: number): Errand {
  const subject = `Letter ${number}`;
  const to = ["overseer", "api/crew/toast", "web/crew/toast"];
  return errand([() => ({ verb: "mail send", args: { to, subject, message: "read this" } })], {
    mail: { subject, to },
  });
}

function alarm(number: number): Errand {
  const escalation = `Alarm ${number}`;
  return errand([() => ({ verb: "escalate", args: { message: escalation } })], { escalation });
}

function requireSame(what: string, wanted: readonly string[], found: readonly string[]): void {
  const [a, b] = [wanted, found].map((list) => list.toSorted().join(", "));
  if (a !== b) throw broken(`asked for were the ${what} ${a}; there are ${b}`);
}

function broken(what: string): TownError {
  return new TownError("Invariant", what);
}
