import type { ProjectedInput } from "../ports/object-store.ts";
import { deepFreeze } from "../resource/equality.ts";
import { mergePatch } from "../resource/merge-patch.ts";
import type { ObjectMeta, TownObject } from "../resource/object-meta.ts";
import { fingerprint } from "./fingerprint.ts";
import type { SideRecord } from "./journal-format.ts";
import type { Extra } from "./object-core.ts";
import { type Draft, withHeldAnnotations } from "./object-draft.ts";
import type { Entry } from "./object-table.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface Projection {
  readonly base: Draft;
  readonly former: Entry<Extra> | undefined;
  /** Bookkeeping from before a restart, for an object that is new in this life. */
  readonly side: SideRecord | undefined;
  readonly input: ProjectedInput;
}

/** A Work or Observed object: the projector states all but finalizers, held annotations and what loops patched in status. */
export function projectedDraft({ base, former, side, input }: Projection): {
  readonly draft: Draft;
  readonly extra: Extra;
  readonly firstGeneration: number;
} {
  const statusPatch = former?.extra.statusPatch ?? side?.status;
  const statedStatus = input.status ?? former?.extra.statedStatus;
  const released = former?.extra.released;
  const held = former?.object.metadata.annotations ?? side?.annotations;
  const draft: Draft = {
    ...base,
    creationTimestamp: input.creationTimestamp ?? base.creationTimestamp,
    labels: input.labels,
    annotations: withHeldAnnotations(input.annotations, held),
    ownerReferences: input.ownerReferences?.filter(({ uid }) => released?.includes(uid) !== true),
    finalizers: base.finalizers ?? side?.finalizers,
    spec: input.spec,
    status: statusOf(statedStatus, statusPatch),
  };
  const extra: Extra = withoutUndefined({
    statedStatus: statedStatus === undefined ? undefined : deepFreeze(statedStatus),
    statusPatch,
    released,
  });
  return { draft, extra, firstGeneration: firstGeneration(side, input.spec) };
}

function withoutUndefined(extra: { readonly [K in keyof Extra]: Extra[K] | undefined }): Extra {
  return Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== undefined)) as Extra;
}

function statusOf(stated: Fields | undefined, patch: Fields | undefined): Fields | undefined {
  if (patch === undefined) return stated;
  return mergePatch(stated ?? {}, patch) as Fields;
}

/** Goes on where the former life stopped; a spec that changed meanwhile counts as one change. */
function firstGeneration(side: SideRecord | undefined, spec: Fields): number {
  if (side === undefined) return 1;
  return side.generation + (side.fingerprint === fingerprint(spec) ? 0 : 1);
}

/** Owners that the collector took off an object whose projector may go on naming them. */
export function releasedOwners(
  object: TownObject,
  extra: Extra,
  owners: ObjectMeta["ownerReferences"],
): Partial<Extra> {
  if (owners === undefined) return {};
  const kept = new Set(owners.map(({ uid }) => uid));
  const gone = (object.metadata.ownerReferences ?? []).map(({ uid }) => uid).filter((uid) => !kept.has(uid));
  return gone.length === 0 ? {} : { released: [...(extra.released ?? []), ...gone] };
}
