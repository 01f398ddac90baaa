/** The most characters of a path: it is part of the cookie of the attempt, and a browser sends several of these. */
const longest = 500;

/**
 * Where a person goes after a sign-in: a path of ours. Anything else would let a link lead over our sign-in to a page
 * of others.
 *
 * @returns `/` when the path is not one of ours, or is too long
 */
export function returnPath(given: unknown): string {
  if (typeof given !== 'string' || given.length > longest || !/^\/(?![/\\])[\x21-\x7e]*$/.test(given)) return '/';
  // Browsers read \ as /, and leave out tabs and line breaks, which the pattern has refused.
  if (given.includes('\\')) return '/';
  const url = new URL(given, 'https://alfred.invalid');
  if (url.host !== 'alfred.invalid' || url.pathname.startsWith('//')) return '/';
  const path = url.pathname + url.search + url.hash;
  // Encoded, it may be longer than it was.
  return path.length > longest ? '/' : path;
}
