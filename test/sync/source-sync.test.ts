import { describeSourceSync } from "./source-sync.suite.ts";
import { twinSite } from "./twin-site.ts";

describeSourceSync("twins", twinSite);
