import { realSyncSite } from "./real-site.ts";
import { describeSourceSync } from "./source-sync.suite.ts";

describeSourceSync("real git", realSyncSite);
