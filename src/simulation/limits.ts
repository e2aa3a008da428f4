import type { SimulatedFault } from "./message-chaos.ts";

/** The account of all programs reaches its limit, which they tell with or without a time. */
export const LIMITS: SimulatedFault = async (town, random) => {
  const minutes = 1 + random.below(40);
  const untilMs = town.clock.monotonicMs() + minutes * 60_000;
  const told = `You've hit your usage limit.${random.below(2) === 0 ? "" : ` Try again in ${minutes} minutes.`}`;
  town.limit = { untilMs, told };
  return `limit for ${minutes} minutes`;
};
