import { TownError, WaitingError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { CheckoutBinding, GraphHost } from "../ports/loop-ports.ts";
import type { Processes } from "../ports/processes.ts";
import type { Random } from "../ports/random.ts";
import type { WorkGraph } from "../ports/work-graph.ts";
import { bindCheckout, unbindCheckout } from "./checkout-binding.ts";
import { openGraph } from "./open-graph.ts";
import { syncGraph } from "./sync.ts";
import { prefixKey } from "./paths.ts";
import { GraphDirectory } from "./work-graphs.ts";

/** A store's view in the API. */
export interface GraphProjection {
  /** Shows these again: what they wait for in another store changed. */
  refresh(ids: readonly string[]): void;
  /** Resolves once everything committed so far is shown. */
  settled(): Promise<void>;
  /** Ends it and removes the objects. */
  end(): Promise<void>;
}

interface HostPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
  readonly log: Log;
  /** Address of a person or agent, for the commits of the work branch. */
  readonly emailOf?: (actor: string) => string | undefined;
  /** Shows a store in the API. */
  readonly project: (graph: WorkGraph) => Promise<GraphProjection>;
}

/** Opens stores, shows them in the API, and lets them go. */
export class TownGraphs implements GraphHost {
  readonly directory = new GraphDirectory((namespace, ids) => this.#projections.get(namespace)?.refresh(ids));
  readonly #ports: HostPorts;
  readonly #projections = new Map<string, GraphProjection>();
  readonly #followers = new Map<string, { close(): Promise<void> }>();
  readonly #opening = new Map<string, Promise<WorkGraph>>();

  constructor(ports: HostPorts) {
    this.#ports = ports;
  }

  open(
    namespace: string,
    repository: Repository,
    options: { readonly prefix: string; readonly branch: string },
  ): Promise<WorkGraph> {
    const open = this.directory.graph(namespace);
    if (open !== undefined) return Promise.resolve(open);
    const under = this.#opening.get(namespace);
    if (under !== undefined) return under;
    const opening = this.#open(namespace, repository, options).finally(() => this.#opening.delete(namespace));
    this.#opening.set(namespace, opening);
    return opening;
  }

  async #open(
    namespace: string,
    repository: Repository,
    options: { readonly prefix: string; readonly branch: string },
  ): Promise<WorkGraph> {
    const { files, clock, random, processes, log, emailOf } = this.#ports;
    // For commands that find the store without the town.
    if ((await repository.config(prefixKey)) !== options.prefix) await repository.setConfig(prefixKey, options.prefix);
    const graph = await openGraph({
      repository,
      files,
      clock,
      random,
      processes,
      log,
      namespace,
      prefix: options.prefix,
      branch: `refs/heads/${options.branch}`,
      ...(emailOf === undefined ? {} : { emailOf }),
    });
    try {
      this.directory.add(graph);
    } catch (error) {
      await graph.close();
      throw error;
    }
    this.#projections.set(namespace, await this.#ports.project(graph));
    // To be shown all were read; most are of work that was done long ago.
    graph.rest();
    // Edits with plain git are taken in when they are made, not with the next change of ours.
    const ref = `${repository.commonDirectory}/refs/heads/${options.branch}`;
    this.#followers.set(
      namespace,
      files.watch([ref], () => void graph.follow()),
    );
    return graph;
  }

  async close(namespace: string): Promise<void> {
    const graph = this.directory.graph(namespace);
    await this.#followers.get(namespace)?.close();
    this.#followers.delete(namespace);
    await this.#projections.get(namespace)?.end();
    this.#projections.delete(namespace);
    this.directory.remove(namespace);
    await graph?.close();
  }

  async bindCheckout(namespace: string, checkout: Repository): Promise<CheckoutBinding> {
    const graph = this.directory.store(namespace);
    if (graph === undefined)
      throw new TownError("StoreNotOpen", `Cannot bind ${checkout.path}: the work graph of ${namespace} is not open.`, {
        hint: `town describe rig ${namespace}`,
      });
    return this.#isStore(checkout) ? "IsStore" : bindCheckout(graph, checkout, this.#ports);
  }

  async unbindCheckout(namespace: string, checkout: Repository, store: string): Promise<CheckoutBinding> {
    if (this.#isStore(checkout)) return "IsStore";
    return unbindCheckout(this.directory.store(namespace), checkout, store, this.#ports);
  }

  async exchange(namespace: string, remote: string): Promise<readonly string[]> {
    const { clock, random } = this.#ports;
    const graph = this.directory.store(namespace);
    if (graph === undefined)
      throw new WaitingError("StoreNotOpen", `Cannot exchange beads with ${remote}: ${namespace} is not open.`, 1_000);
    const { lostClaims } = await syncGraph(graph, { remote, clock, random });
    return lostClaims.map(({ id }) => id);
  }

  #isStore({ commonDirectory }: Repository): boolean {
    return this.directory.stores().some(({ repository }) => repository.commonDirectory === commonDirectory);
  }

  /** Resolves once the API shows everything that was committed in a namespace. */
  async settled(namespace: string): Promise<void> {
    await this.#projections.get(namespace)?.settled();
  }

  /** Ends all of them with everything acknowledged written to their branches; the API's view of them stays. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#followers.values()].map((follower) => follower.close()));
    this.#followers.clear();
    await this.directory.close();
  }
}
