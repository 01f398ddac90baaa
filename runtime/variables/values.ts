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
