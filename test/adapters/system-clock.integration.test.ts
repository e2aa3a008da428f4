import { systemClock } from "../../src/adapters/system-clock.ts";
import { clockContract } from "../ports/clock.contract.ts";

clockContract("system", () => ({ clock: systemClock, pass: (ms) => new Promise((done) => setTimeout(done, ms)) }));
