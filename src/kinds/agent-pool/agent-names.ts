/** Names given to agents of a pool without a list of its own, in this order. */
export const SHIPPED_NAMES: readonly string[] = [
  "toast", "nux", "furiosa", "max", "slit", "ace", "dag", "capable", "cheedo", "valkyrie", "keeper", "rictus", "morsov", "coma", "organic",
  "amber", "birch", "cedar", "dune", "ember", "fern", "grove", "hazel", "iris", "juniper", "kestrel", "larch", "maple", "nettle", "oak",
  "pine", "quartz", "rowan", "sage", "thistle", "umber", "violet", "willow", "yarrow", "zephyr", "alder", "basalt", "clover", "drift", "elm",
  "flint", "garnet", "heather", "indigo", "jasper", "kelp", "lichen", "moss", "nimbus", "onyx", "pebble", "quill", "reed", "slate", "tansy",
];

/** The name at a position; past the end of the list a number is added. */
export function agentNameAt(names: readonly string[] | undefined, index: number): string {
  const list = names === undefined || names.length === 0 ? SHIPPED_NAMES : names;
  const round = Math.floor(index / list.length);
  const name = list[index % list.length] ?? "agent";
  return round === 0 ? name : `${name}-${round + 1}`;
}
