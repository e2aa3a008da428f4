import { z } from "zod";

/** The sync axis of what follows git: of the Town and of each Source. */
export const syncStatus = z.object({
  status: z
    .enum(["Synced", "OutOfSync", "Unknown"])
    .optional()
    .describe("Whether the objects follow the attempted revision; Unknown: what is true cannot be told."),
  appliedRevision: z.string().optional().describe("Last revision applied without problems, `<branch>@sha1:<commit>`."),
  attemptedRevision: z.string().optional().describe("Newest revision looked at."),
  attemptedTime: z.string().optional().describe("When it was looked at (RFC 3339)."),
  objects: z.int().optional().describe("Objects declared."),
  problems: z
    .array(
      z.object({
        path: z.string().describe("File."),
        line: z.int().describe("Line, from 1; 0: the whole file."),
        column: z.int().describe("Column, from 1; 0: the whole line."),
        reason: z.string().optional().describe("One word for what is wrong, as ReferenceDangling."),
        message: z.string().describe("What is wrong and how to mend it."),
      }),
    )
    .optional()
    .describe("What is wrong in files, with its place; at most 50."),
  history: z
    .array(
      z.object({
        revision: z.string().describe("Revision."),
        time: z.string().describe("When it was applied."),
        changes: z.int().describe("Objects changed."),
      }),
    )
    .optional()
    .describe("Last five applied revisions."),
  lastHandledReconcileAt: z
    .string()
    .optional()
    .describe("The newest request to look again (`town reconcile`) that was answered."),
});

export type SyncStatus = z.infer<typeof syncStatus>;

/** The health axis. */
export const healthStatus = z.enum(["Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"]);
