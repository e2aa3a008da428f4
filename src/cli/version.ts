declare const __TOWN_VERSION__: string | undefined;

/** Version of the package, put in by the build; `0.0.0-source` when run from the sources. */
export const VERSION_TEXT: string = typeof __TOWN_VERSION__ === "string" ? __TOWN_VERSION__ : "0.0.0-source";
