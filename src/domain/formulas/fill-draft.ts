import type { Draft } from "./draft.ts";
import { mapTexts } from "./fill-text.ts";

/** A step with every text that it states changed, loop bodies and children too; where it came from stays. */
export function fillDraft(step: Draft, change: (text: string) => string): Draft {
  const { at, children, loop, ...stated } = step;
  return {
    ...mapTexts(stated, change),
    at,
    children: children.map((child) => fillDraft(child, change)),
    ...(loop === undefined
      ? {}
      : {
          loop: {
            ...mapTexts({ ...loop, body: undefined }, change),
            body: loop.body.map((inner) => fillDraft(inner, change)),
          },
        }),
  };
}
