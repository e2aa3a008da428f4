import { describeFurtherSources } from "./further-sources.suite.ts";
import { twinSite } from "./twin-site.ts";

describeFurtherSources("twins", twinSite);
