import { realSyncSite } from "./real-site.ts";
import { describeFurtherSources } from "./further-sources.suite.ts";

describeFurtherSources("real git", realSyncSite);
