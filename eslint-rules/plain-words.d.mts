/** Words that texts must not use, with what to write instead. */
export const everywhere: ReadonlyMap<string, string>;
