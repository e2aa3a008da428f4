/** Pokes of a person or tool, such as `runtime.town.dev/restarted-at`. */
export const RUNTIME_ANNOTATION_PREFIX = "runtime.town.dev/";
/** What `kubectl apply` remembers of the manifest it sent. */
export const LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

/** True for annotations that live in the journal of the store, never in git. */
export function isHeldAnnotation(name: string): boolean {
  return name.startsWith(RUNTIME_ANNOTATION_PREFIX) || name === LAST_APPLIED_ANNOTATION;
}
