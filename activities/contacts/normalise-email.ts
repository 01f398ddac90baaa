import { domainToASCII } from 'node:url';
import { z } from 'zod';

const Email = z.email().max(254);

/**
 * An e-mail address in lower case. Takes `Ann Lee <ann@example.com>` and `mailto:` too, and domains with letters of any
 * script, which are written as DNS has them.
 *
 * @returns undefined for what is none
 */
export function normaliseEmail(text: string): string | undefined {
  const inside = /<([^<>]+)>\s*$/.exec(text)?.[1] ?? text;
  const address = inside.trim().replace(/^mailto:/i, '');
  const at = address.lastIndexOf('@');
  const domain = domainToASCII(address.slice(at + 1));
  if (at < 1 || domain === '') return undefined;
  const parsed = Email.safeParse(`${address.slice(0, at)}@${domain}`.toLowerCase());
  return parsed.success ? parsed.data : undefined;
}
