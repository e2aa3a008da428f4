import { existsSync, readFileSync } from "node:fs";
import type { WorkGraph } from "../../../src/ports/work-graph.ts";
import { submit } from "../../../src/work/submission.ts";
import { TownSite } from "../town-site.ts";

export const RIG = { kind: "Rig", name: "api" } as const;
const AUTHOR = { actor: "test" };

/** A rig on real git whose merge queue is run by hand; each gate run adds a line to a file outside. */
export class QueueSite {
  readonly site: TownSite;
  readonly project: string;

  private constructor(site: TownSite) {
    this.site = site;
    this.project = site.repository("project");
  }

  /** `gate`: a shell command; it runs in the tree. `more`: further gates. */
  static async make(gate: string, merge: object = {}, more: readonly object[] = []): Promise<QueueSite> {
    const queue = new QueueSite(await TownSite.make());
    const { site } = queue;
    await site.declare("Rig", undefined, "api", {
      path: queue.project,
      merge: { gates: [{ name: "test", command: `echo run >> ${queue.#runs}; ${gate}` }, ...more], ...merge },
    });
    await site.settle("rigs", RIG);
    return queue;
  }

  get #runs(): string {
    return this.site.path("gate-runs");
  }

  get gateRuns(): number {
    return existsSync(this.#runs) ? readFileSync(this.#runs, "utf8").trim().split("\n").length : 0;
  }

  get graph(): WorkGraph {
    const graph = this.site.ports.graphs.graph("api");
    if (graph === undefined) throw new Error("the rig's graph is not open");
    return graph;
  }

  /** Work of one bead, from the target as it is: files with their texts. */
  async submit(bead: string, files: Readonly<Record<string, string>>): Promise<string> {
    const { site, project } = this;
    site.run(project, "checkout", "--quiet", "--detach", "main");
    const head = site.commit(project, files);
    site.run(project, "checkout", "--quiet", "main");
    const clone = site.ports.layout.clone("api");
    site.run(project, "push", "--quiet", clone, `${head}:refs/town/heads/${bead}/${head}`);
    return this.submitHead(bead, head);
  }

  /** A commit that the clone has. */
  submitHead(bead: string, head: string): Promise<string> {
    return this.graph.transact(AUTHOR, (tx) => {
      if (tx.get(bead) === undefined) tx.create({ id: bead, title: `Do ${bead}` });
      return submit(tx, { bead, head, target: "main", author: "api/polecats/toast" }).id;
    });
  }

  /** Runs the queue until nothing is left to do at once. */
  settle(): Promise<readonly string[]> {
    return this.site.settle("merges", RIG, 500);
  }

  state(bead: string): string | undefined {
    return this.graph.get(bead)?.status;
  }

  /** How often the target moved. */
  moves(): number {
    return this.site.run(this.project, "reflog", "show", "--format=%H", "main").split("\n").length - 1;
  }

  end(): Promise<void> {
    return this.site.end();
  }
}
