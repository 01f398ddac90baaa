/** The names of cookies of sign-ins by browser. Each attempt to sign in has one, so that tabs do not take turns. */
export const sessionCookie = 'alfred-session';
const attemptPrefix = 'alfred-sign-in-';

/** @param state of the attempt, which the provider gives back: 256 random bits as base64url */
export const attemptCookie = (state: string) => `${attemptPrefix}${state}`;

/**
 * How many attempts a browser keeps beside the one that begins, and how many characters of them: requests with longer
 * headers than 16,384 bytes are refused.
 */
const keptAttempts = { count: 4, length: 6_000 };

/** `__Host-`: browsers take cookies over https only, from this host, for this host. */
const prefixOf = (isSecure: boolean) => (isSecure ? '__Host-' : '');

/**
 * A line for `Set-Cookie`. Scripts cannot read the cookie. Requests of other sites do not carry it, unless a person
 * follows a link, as from the provider's page.
 *
 * @param publicUrl the address of the API in browsers; over http, on this machine, a cookie cannot be `Secure`
 * @param maxAgeS 0 removes it
 */
export function setCookie(name: string, value: string, { publicUrl, maxAgeS }: { publicUrl: string; maxAgeS: number }) {
  const isSecure = publicUrl.startsWith('https:');
  return [
    `${prefixOf(isSecure)}${name}=${value}`,
    'Path=/',
    `Max-Age=${maxAgeS}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(isSecure ? ['Secure'] : []),
  ].join('; ');
}

const cookiesIn = (header: string | undefined): [name: string, value: string][] =>
  (header ?? '').split(';').map((part) => {
    const [name = '', value = ''] = part.trim().split('=');
    return [name, value];
  });

/**
 * Reads a cookie. Two of one name count as none: another application of the host may have set one of them.
 *
 * @param isSecure whether only the one of https counts
 */
export function readCookie(name: string, header: string | undefined, isSecure: boolean): string | undefined {
  const values = cookiesIn(header).filter(([one]) => one === prefixOf(isSecure) + name);
  const [[, value] = ['', '']] = values;
  return values.length === 1 && /^[\w-]{1,4000}$/.test(value) ? value : undefined;
}

/** Names of cookies of attempts that a browser has too many of: the oldest, which browsers send first (RFC 6265). */
export function attemptsToRemove(header: string | undefined, isSecure: boolean): string[] {
  const before = prefixOf(isSecure);
  const pattern = new RegExp(`^${before}${attemptPrefix}[\\w-]{43}$`);
  const attempts = cookiesIn(header).filter(([name]) => pattern.test(name));
  let length = 0;
  return attempts
    .toReversed()
    .filter(([name, value], older) => {
      length += name.length + value.length;
      return older >= keptAttempts.count || length > keptAttempts.length;
    })
    .map(([name]) => name.slice(before.length));
}

/**
 * The id of a session. Where people come over https, a cookie without the prefix counts for nothing: other hosts of the
 * domain can set one, and so make a person act in their session.
 */
export const sessionCookieIn = (header: string | undefined, publicUrl: string): string | undefined =>
  readCookie(sessionCookie, header, publicUrl.startsWith('https:'));
