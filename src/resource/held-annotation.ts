/** Pokes of a person or tool, such as `runtime.town.dev/restarted-at`. */
export const RUNTIME_ANNOTATION_PREFIX = "runtime.town.dev/";
/** What `kubectl apply` remembers of the manifest it sent. */
export const LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

/** True for annotations that live in the journal of the store, never in git. */
export function isHeldAnnotation(name: string): boolean {
  return name.startsWith(RUNTIME_ANNOTATION_PREFIX) || name === LAST_APPLIED_ANNOTATION;
}

/** Revision of the tracked branch up to which a person approved the commits of agents. */
export const APPROVE_ANNOTATION = "runtime.town.dev/approve";
/** Revision at which a person allowed pruning. */
export const ALLOW_PRUNE_ANNOTATION = "runtime.town.dev/allow-prune";
/** When somebody last asked to look again at once (RFC 3339). */
export const RECONCILE_ANNOTATION = "runtime.town.dev/reconcile-requested-at";

/** Annotations with a person's word; agents may not set them, whatever their role grants. */
export const HUMAN_ANNOTATIONS: readonly string[] = [APPROVE_ANNOTATION, ALLOW_PRUNE_ANNOTATION];

/**
 * On an object that is being deleted: its document is back, at this revision. The object still goes, and another one of the
 * name comes; what its finalizers would take away from that one may stay.
 */
export const DECLARED_AGAIN_ANNOTATION = "runtime.town.dev/declared-again";
