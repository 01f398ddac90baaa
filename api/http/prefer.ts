/** The longest wait of a request, in seconds: proxies close requests that take longer. */
const longestWaitS = 60;

/**
 * Reads `wait` of a Prefer header (RFC 7240), in seconds, at most 60. Returns 0 when it is absent or not a number; the
 * RFC has servers ignore what they do not know.
 */
export function waitOf(prefer: string | undefined): number {
  const wait = prefer
    ?.split(/[,;]/)
    .map((preference) => /^\s*wait\s*=\s*"?(\d{1,9})"?\s*$/i.exec(preference)?.[1])
    .find((seconds) => seconds !== undefined);
  return wait === undefined ? 0 : Math.min(Number(wait), longestWaitS);
}
