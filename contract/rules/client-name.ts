/** Browsers say that they are each other; the first of these names that they say is theirs. */
const browsers = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'] as const;
const systems = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS', 'Linux'] as const;

/**
 * The program that sends a request, as its `User-Agent` says, without versions: `curl`, `node`, `Firefox on Linux`.
 *
 * @returns undefined when the header says nothing that is a name
 */
export function clientOf(userAgent: string | undefined): string | undefined {
  if (userAgent === undefined) return undefined;
  const browser = browsers.find((name) => userAgent.includes(`${name}/`));
  const system = systems.find((name) => userAgent.includes(name));
  if (browser !== undefined) return system === undefined ? browser : `${browser} on ${system}`;
  return /^[\w.-]{1,40}(?=[\s/]|$)/.exec(userAgent)?.[0];
}
