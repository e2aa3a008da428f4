import type { CommandSpec } from "../context.ts";
import {
  ALL_NAMESPACES,
  FIELD_SELECTOR,
  IGNORE_NOT_FOUND,
  NAMESPACE,
  NO_HEADERS,
  OUTPUT,
  SELECTOR,
} from "../resources/flags.ts";
import { run } from "./get.ts";

/** In a file of its own because the hot bundle holds `get` and none of its sisters. */
export const getCommand: CommandSpec = {
  name: "get",
  group: "resources",
  summary: "list objects, or show some of them",
  positionals: "[TYPE[/NAME]] [NAME...]",
  flags: [
    NAMESPACE,
    ALL_NAMESPACES,
    SELECTOR,
    FIELD_SELECTOR,
    OUTPUT,
    { name: "watch", short: "w", type: "boolean", summary: "then print every change until interrupted" },
    { name: "watch-only", type: "boolean", summary: "print changes only" },
    { name: "sort-by", type: "string", value: "PATH", summary: "order by a field, as .metadata.creationTimestamp" },
    NO_HEADERS,
    { name: "show-labels", type: "boolean", summary: "add a column with all labels" },
    {
      name: "label-columns",
      short: "L",
      type: "list",
      value: "KEYS",
      summary: "add a column for each of these labels",
    },
    IGNORE_NOT_FOUND,
    { name: "show-managed-fields", type: "boolean", summary: "keep managedFields in json and yaml" },
  ],
  examples: [
    "town get agents",
    "town get agents -n api -o wide",
    "town get rigs,pools",
    "town get bead/api-x1 -o yaml",
    "town get agents -w",
  ],
  run: run,
};
