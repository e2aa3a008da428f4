/** The session that Town keeps open so that the server lives and a client can attach; no agent can be called so. */
export const CONTROL_SESSION = "_town";
