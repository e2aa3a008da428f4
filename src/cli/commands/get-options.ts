import type { TableOptions } from "../output/table.ts";
import type { Scope } from "../resources/objects.ts";
import type { TableView } from "../resources/server-table.ts";

/** What `get` was asked, with every flag read. */
export interface GetOptions {
  readonly scope: Scope;
  readonly labels: string | undefined;
  readonly fields: string | undefined;
  readonly sortBy: string | undefined;
  readonly view: TableView;
  readonly ignoreNotFound: boolean;
  /** Keep metadata.managedFields in objects. */
  readonly managedFields: boolean;
  readonly table: TableOptions;
}
