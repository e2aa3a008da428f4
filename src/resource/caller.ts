/** Who a request comes from, as its token says. */
export interface Caller {
  /** `overseer` or a person's e-mail for humans; the agent identity (`api/polecats/toast`) for sessions. */
  readonly name: string;
  readonly role: "admin" | "edit" | "view" | "agent" | "loop";
  /** E-mail used as git author of manifest commits; absent for loops. */
  readonly email?: string;
  /** Present for agent sessions: what the token is bound to. */
  readonly session?: { readonly namespace: string; readonly agent: string; readonly generation: number };
  /** Verbs the agent's Role grants beyond its own hook. */
  readonly permissions?: readonly string[];
  /** `socket`, `127.0.0.1`, `kubectl/v1.32` and the like: for the audit trail. */
  readonly origin?: string;
}
