import { z } from 'zod';

/** A port. 0 means any free port. */
export const port = z.coerce.number('expected a port number').int().min(0).max(65_535);

/** Milliseconds. */
export const milliseconds = z.coerce.number('expected milliseconds').int().min(0);

/** `true` or `false`. */
export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

/** A URL with one of these protocols. `example` is shown when it is wrong. */
export const url = (protocols: RegExp, example: string) =>
  z.string(`expected ${example}`).refine((value) => URL.canParse(value) && protocols.test(new URL(value).protocol), {
    error: `expected ${example}`,
  });

/** An address without a path. Cookies of people and secrets go there, hence https. */
export const origin = z
  .string()
  .refine(isOrigin, { error: 'expected https://host without a path; http:// only for this machine', abort: true })
  .transform((text) => new URL(text).origin);

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash, username } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname));
  return isSafe && pathname === '/' && search === '' && hash === '' && username === '';
}
