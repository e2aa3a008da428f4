import type { Plan } from "../../../resource/controller.ts";
import type { RigObject } from "../../rig/rig.schema.ts";
import type { Reserved, ReserveObserved } from "./reserve.observe.ts";

export type ReserveAction =
  | { readonly do: "Remove"; readonly number: number; readonly reason: string }
  /** `again`: its set-up failed, and is tried once more where it is. */
  | {
      readonly do: "Prepare";
      readonly number: number;
      readonly commit: string;
      readonly inputs: string;
      readonly again: boolean;
    };

const LOOK_MS = 2_000;
const WAIT_MS = 30_000;

/**
 * As many sandboxes as are wanted stand ready for what the base is now. One is prepared at a time: they are for later, and
 * agents at work need the machine now.
 */
export function planReserve(_: RigObject, observed: ReserveObserved): Plan<ReserveAction> {
  const { wanted, base, reserved, now } = observed;
  const removals = reserved.flatMap((each): readonly ReserveAction[] => {
    const reason = goneReason(each, observed);
    return reason === undefined ? [] : [{ do: "Remove", number: each.number, reason }];
  });
  const kept = reserved.filter(({ number }) => number <= wanted);
  const ready = kept.filter(({ exists, setUp }) => exists && setUp.state === "Done").length;
  const status = { reserve: wanted === 0 ? null : base === undefined ? 0 : ready };
  if (removals.length > 0) return { actions: removals, status };
  const isBusy = kept.some(({ exists, setUp }) => exists && setUp.state === "Running");
  const next = kept.find((each) => !each.exists || isDueAgain(each));
  if (base === undefined || isBusy || next === undefined) {
    const retryMs = kept.map(({ setUp }) =>
      setUp.state === "Failed" ? Math.max(1_000, setUp.retryMs - now) : WAIT_MS,
    );
    const waitMs = isBusy ? LOOK_MS : Math.min(WAIT_MS, ...retryMs);
    const isSettled = wanted === 0 || (ready === wanted && !isBusy);
    return { actions: [], status, ...(isSettled ? {} : { requeueAfterMs: waitMs }) };
  }
  if (observed.suspended || observed.diskLow) return { actions: [], status, requeueAfterMs: WAIT_MS };
  return { actions: [{ do: "Prepare", number: next.number, ...base, again: next.exists }], status };
}

/** Why one is not kept: it is one too many, or made for another state of the base, or its set-up did not end. */
function goneReason({ number, exists, setUp }: Reserved, { wanted, base }: ReserveObserved): string | undefined {
  if (!exists) return undefined;
  if (number > wanted) return `spec.setup.reserve asks for ${wanted}`;
  if (base === undefined || setUp.state !== "Needed" || setUp.again) return undefined;
  return "its set-up is not that of the base as it is now";
}

function isDueAgain({ setUp }: Reserved): boolean {
  return setUp.state === "Needed" && setUp.again;
}
