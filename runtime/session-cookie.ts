/** The cookies of sign-ins by browser. `__Host-`: browsers take them over https only, from this host, for this host. */
const names = { session: 'alfred-session', attempt: 'alfred-sign-in' } as const;
type Cookie = keyof typeof names;

const nameOf = (cookie: Cookie, isSecure: boolean) => `${isSecure ? '__Host-' : ''}${names[cookie]}`;

/**
 * A line for `Set-Cookie`. Scripts cannot read the cookie. Requests of other sites do not carry it, unless a person
 * follows a link, as from the provider's page.
 *
 * @param publicUrl the address of the API in browsers; over http, on this machine, a cookie cannot be `Secure`
 * @param maxAgeS 0 removes it
 */
export function setCookie(
  cookie: Cookie,
  value: string,
  { publicUrl, maxAgeS }: { publicUrl: string; maxAgeS: number },
) {
  const isSecure = publicUrl.startsWith('https:');
  return [
    `${nameOf(cookie, isSecure)}=${value}`,
    'Path=/',
    `Max-Age=${maxAgeS}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(isSecure ? ['Secure'] : []),
  ].join('; ');
}

/**
 * Reads a cookie. Two of one name count as none: another application of the host may have set one of them.
 *
 * @param isSecure whether only the one of https counts
 */
export function readCookie(cookie: Cookie, header: string | undefined, isSecure: boolean): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((part) => part.trim().split('='))
    .filter(([name]) => name === nameOf(cookie, isSecure))
    .map(([, value = '']) => value);
  return values.length === 1 && /^[\w-]{1,4000}$/.test(values[0] ?? '') ? values[0] : undefined;
}

/**
 * The id of a session. Where people come over https, a cookie without the prefix counts for nothing: other hosts of the
 * domain can set one, and so make a person act in their session.
 */
export const sessionCookieIn = (header: string | undefined, publicUrl: string): string | undefined =>
  readCookie('session', header, publicUrl.startsWith('https:'));
