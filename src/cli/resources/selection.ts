import { usageError } from "../exit-codes.ts";
import { typesNamed, type ResourceType } from "./discovery.ts";

/** One type to act on; `names` absent means all of them. */
export interface Selection {
  readonly type: ResourceType;
  readonly names?: readonly string[];
}

/** Reads `TYPE`, `TYPE,TYPE`, `TYPE NAME…` and `TYPE/NAME…` as kubectl does. Throws usage errors. */
export function selectionsOf(
  args: readonly string[],
  types: readonly ResourceType[],
  options: { readonly command: string; readonly namesRequired?: boolean },
): readonly Selection[] {
  const [first, ...rest] = args;
  if (first === undefined)
    throw usageError(
      "you must say the type of resource",
      `\`town ${options.command} TYPE [NAME...]\`; \`town api-resources\` lists the types`,
    );
  const selections = args.some((arg) => arg.includes("/")) ? slashed(args, types) : spaced(first, rest, types);
  if (options.namesRequired === true && selections.some((selection) => selection.names === undefined)) {
    throw usageError("a name, a selector (-l) or --all is required", `\`town ${options.command} ${first} NAME\``);
  }
  return selections;
}

function slashed(args: readonly string[], types: readonly ResourceType[]): Selection[] {
  return args.map((arg) => {
    const [word, name, ...more] = arg.split("/");
    if (word === undefined || word === "" || name === undefined || name === "" || more.length > 0) {
      throw usageError(`"${arg}" is not of the form TYPE/NAME`, "with TYPE/NAME every argument must have that form");
    }
    const type = only(typesNamed(word, types), word);
    return { type, names: [name] };
  });
}

function spaced(words: string, names: readonly string[], types: readonly ResourceType[]): Selection[] {
  const found = words
    .split(",")
    .filter((word) => word !== "")
    .flatMap((word) => typesNamed(word, types));
  const unique = [...new Set(found)];
  return unique.map((type) => (names.length === 0 ? { type } : { type, names }));
}

function only(types: readonly ResourceType[], word: string): ResourceType {
  const [type, second] = types;
  if (type === undefined || second !== undefined)
    throw usageError(`"${word}" stands for several types; name one of them with a name`);
  return type;
}
