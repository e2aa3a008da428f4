/** Reason in the reflog of every ref that desired state moves: one for all, since git's ref service starts anew for another. */
export const REFLOG = "town: manifests";
