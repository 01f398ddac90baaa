/** One `@`, ASCII alone: some other letters become ASCII in lower case, and so the address of another person. */
const address = /^[\x21-\x3f\x41-\x7e]{1,64}@[A-Za-z0-9.-]{1,253}$/;

/**
 * An e-mail address in the form in which two are compared.
 *
 * @param domains those that are trusted, in lower case; a subdomain is another domain
 * @returns undefined for what is no address of these domains
 */
export function trustedEmail(value: unknown, domains: readonly string[]): string | undefined {
  if (typeof value !== 'string' || !address.test(value)) return undefined;
  const email = value.toLowerCase();
  return domains.includes(email.slice(email.lastIndexOf('@') + 1)) ? email : undefined;
}
