/** The longest a request may wait, in seconds; beyond that proxies give up first. */
const longestWaitS = 60;

/** `wait` of a Prefer header (RFC 7240) in seconds, at most 60; 0 when it is absent or no number. Unknown preferences are ignored, as the RFC says. */
export function waitOf(prefer: string | undefined): number {
  const wait = prefer
    ?.split(/[,;]/)
    .map((preference) => /^\s*wait\s*=\s*"?(\d{1,9})"?\s*$/i.exec(preference)?.[1])
    .find((seconds) => seconds !== undefined);
  return wait === undefined ? 0 : Math.min(Number(wait), longestWaitS);
}
