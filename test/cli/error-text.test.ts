import { describe, expect, it } from "vitest";
import { errorText } from "../../src/cli/error-text.ts";
import { ApiStatusError, TownError } from "../../src/errors/town-error.ts";

const error = new ApiStatusError(404, "NotFound", "no issue found matching api-x", { hint: "bd list; (bd ready)" });

describe("errorText", () => {
  it("given somebody outside of a session, when a hint names bd, then it is the command they have", () => {
    expect(errorText(error, {})).toBe(
      "Error from server (NotFound): no issue found matching api-x\nhint: town bd list; (town bd ready)\n",
    );
  });

  it("given an agent's session, when a hint names bd, then it stays", () => {
    expect(errorText(error, { TOWN_SOCKET: "/run/town.sock" })).toContain("hint: bd list; (bd ready)\n");
  });

  it("given a hint that says town bd, or an error without one, when printed, then nothing is added", () => {
    const said = new TownError("Odd", "it is odd", { hint: "town bd list" });
    expect(errorText(said, {})).toBe("error: it is odd\nhint: town bd list\n");
    expect(errorText(new Error("plain"), {})).toBe("error: plain\n");
  });
});
