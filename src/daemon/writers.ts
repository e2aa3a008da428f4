import { writeBead } from "../kinds/bead/bead.write.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { TruthWrite, TruthWriter } from "../ports/object-store.ts";
import type { TruthWriters } from "../store/store.ts";
import type { TownGraphs } from "../graph/graph-host.ts";

export interface WriterParts {
  readonly graphs: TownGraphs;
  readonly desired: TruthWriter;
}

/** The writers of the API. The store asks for them before they can exist, so they are connected later. */
export interface TownWriters {
  readonly table: TruthWriters;
  connect(parts: WriterParts): void;
}

export function townWriters(): TownWriters {
  let parts: WriterParts | undefined;
  const connected = (): WriterParts => {
    if (parts === undefined)
      throw new ApiStatusError(503, "ServiceUnavailable", "the town is still starting", {
        hint: "try again in a moment; `town status` says when it is ready",
      });
    return parts;
  };
  return {
    table: {
      Desired: { write: (change) => connected().desired.write(change) },
      Work: { write: (change) => writeWork(change, connected().graphs) },
    },
    connect(given) {
      parts = given;
    },
  };
}

async function writeWork(change: TruthWrite, graphs: TownGraphs): Promise<void> {
  if (change.key.kind !== "Bead") {
    throw new ApiStatusError(
      405,
      "MethodNotAllowed",
      `${change.key.kind} objects follow the work graph and are not written directly`,
      { hint: "see `town help`: sling, mq, mail and close change them" },
    );
  }
  await writeBead(change, graphs.directory);
  await graphs.settled(change.key.namespace ?? "hq");
}
