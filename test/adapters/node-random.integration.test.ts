import { nodeRandom } from "../../src/adapters/node-random.ts";
import { randomContract } from "../ports/random.contract.ts";

randomContract("node", () => nodeRandom);
