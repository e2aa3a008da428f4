/** One thing that was looked at. `Error`: the town cannot work like this. */
export interface Finding {
  readonly check: string;
  readonly state: "Ok" | "Warning" | "Error";
  readonly message: string;
  /** What to do; a command where there is one. */
  readonly fix?: string;
}
