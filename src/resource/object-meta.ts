/** The Kubernetes object envelope, as far as Town uses it. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid: string;
  /** Opaque; one strictly rising counter for the whole API. */
  readonly resourceVersion: string;
  /** Raised by each change of spec and by deletion, by nothing else. */
  readonly generation: number;
  /** RFC 3339, seconds, Z. */
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

/** Metadata as a client may send it: identity and labels; the server fills the rest. */
export type InputMeta = Partial<ObjectMeta> & { readonly name?: string };

export interface TownObject<S = Readonly<Record<string, unknown>>, T = Readonly<Record<string, unknown>>> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: S;
  readonly status?: T;
}

/** Identity of one object. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** Namespace of everything that belongs to no rig: mayor, deacon, dogs, convoys. */
export const TOWN_NAMESPACE = "hq";

/** `Kind/namespace/name`, or `Kind/name` for cluster-scoped kinds. Kinds are unique across groups in Town. */
export function keyText(key: ObjectKey): string {
  return key.namespace === undefined ? `${key.kind}/${key.name}` : `${key.kind}/${key.namespace}/${key.name}`;
}

export function keyOf(object: {
  readonly kind: string;
  readonly metadata: Pick<ObjectMeta, "name" | "namespace">;
}): ObjectKey {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? { kind: object.kind, name } : { kind: object.kind, namespace, name };
}

export function ownerReferenceTo(object: TownObject, controller = true): OwnerReference {
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name: object.metadata.name,
    uid: object.metadata.uid,
    controller,
    blockOwnerDeletion: controller,
  };
}
