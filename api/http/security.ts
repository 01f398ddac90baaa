/**
 * How requests sign in, for the API document: the one place for it. There is no sign-in of its own yet. A build that
 * passes `identify` to the API has one.
 */
export const securitySchemes: Record<string, object> = {};

/** The schemes of `securitySchemes` that every request needs. */
export const security: Record<string, string[]>[] = [];
