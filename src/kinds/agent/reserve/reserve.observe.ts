import { WaitingError } from "../../../errors/town-error.ts";
import type { LoopPorts } from "../../../ports/loop-ports.ts";
import { quantityBytes } from "../../../resource/field.ts";
import type { TownObject } from "../../../resource/object-meta.ts";
import type { RigObject } from "../../rig/rig.schema.ts";
import { type TownSpec, townSpec } from "../../town/town.schema.ts";
import { sandboxRepository, startCommit } from "../agent-sandbox.ts";
import { readSetUp, type SetUpState } from "../sandbox-setup.ts";
import { reservePlace } from "./reserve-place.ts";
import { setUpInputs } from "./set-up-inputs.ts";

/** A sandbox in reserve, or one that is to be. */
export interface Reserved {
  readonly number: number;
  readonly exists: boolean;
  /** Its set-up for what the base is now. */
  readonly setUp: SetUpState;
}

export interface ReserveObserved {
  readonly now: number;
  /** How many are to be there. */
  readonly wanted: number;
  /** Where they begin, and what their set-up depends on; undefined while the rig has no target. */
  readonly base: { readonly commit: string; readonly inputs: string } | undefined;
  readonly diskLow: boolean;
  readonly suspended: boolean;
  /** By number: those that are wanted, and those that are there. */
  readonly reserved: readonly Reserved[];
}

/** Looks at what a rig has in reserve. A rig that wants none, and has none, costs the listing of one directory. */
export async function observeReserve(object: RigObject, ports: LoopPorts): Promise<ReserveObserved> {
  const namespace = object.metadata.name;
  const { setup } = object.spec;
  const isLeaving = object.metadata.deletionTimestamp !== undefined;
  const wanted = isLeaving || setup?.command === undefined ? 0 : setup.reserve;
  const there = (await ports.files.list(ports.layout.reserve(namespace))).flatMap((name) =>
    /^[1-9]\d{0,3}$/.test(name) ? [Number(name)] : [],
  );
  const numbers = [...new Set([...there, ...Array.from({ length: wanted }, (_, index) => index + 1)])];
  const facts = { now: ports.clock.now(), wanted, suspended: object.spec.suspend };
  if (numbers.length === 0) return { ...facts, base: undefined, diskLow: false, reserved: [] };
  const base = wanted === 0 ? undefined : await baseOf(namespace, setup?.inputs ?? [], ports);
  const reserved = numbers
    .toSorted((a, b) => a - b)
    .map(async (number): Promise<Reserved> => {
      const { path, agent } = reservePlace(namespace, number, ports);
      const exists = (await ports.files.stat(`${path}/.git`)) !== undefined;
      const setUp = await readSetUp({ namespace, agent, branch: base?.inputs ?? "" }, ports);
      return { number, exists: exists || there.includes(number), setUp };
    });
  return { ...facts, base, diskLow: await isDiskLow(ports), reserved: await Promise.all(reserved) };
}

async function baseOf(namespace: string, paths: readonly string[], ports: LoopPorts): Promise<ReserveObserved["base"]> {
  try {
    const repository = await sandboxRepository(namespace, ports);
    const commit = await startCommit(repository, namespace, ports);
    const inputs = await setUpInputs(repository, commit, paths);
    return inputs === undefined ? undefined : { commit, inputs };
  } catch (error) {
    // No clone or no target yet: the rig's own loop is at it.
    if (error instanceof WaitingError) return undefined;
    throw error;
  }
}

async function isDiskLow(ports: LoopPorts): Promise<boolean> {
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const { capacity } = town?.spec ?? townSpec.parse({});
  return (await ports.files.freeBytes(ports.layout.root)) < quantityBytes(capacity.diskFloor);
}
