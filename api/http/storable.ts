import { InvalidRequest, type Issue } from '../../contract/errors.ts';

/** The deepest nesting of JSON that is accepted; real requests have a few levels. */
const deepest = 100;

/** @throws InvalidRequest for JSON nested so deeply that walking through it would overflow the stack */
export function refuseDeep(body: unknown): void {
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) throw new InvalidRequest([{ path: '', message: `nested more than ${deepest} levels deep` }]);
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null && !Buffer.isBuffer(value) ? (Object.values(value) as unknown[]) : [],
    );
  }
}

/**
 * Refuses text that Postgres cannot hold, at any depth: U+0000 and halves of surrogate pairs are valid JSON.
 *
 * @throws InvalidRequest that names every place
 */
export function refuseUnstorable(value: unknown, at: string[] = []): void {
  const issues = findUnstorable(value, at);
  if (issues.length > 0) throw new InvalidRequest(issues);
}

function findUnstorable(value: unknown, at: string[]): Issue[] {
  if (typeof value === 'string')
    return isStorable(value) ? [] : [{ path: at.join('.'), message: 'must not contain U+0000 or lone surrogates' }];
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    isStorable(key)
      ? findUnstorable(inner, [...at, key])
      : [{ path: at.join('.'), message: 'a key must not contain U+0000 or lone surrogates' }],
  );
}

const isStorable = (text: string) => !text.includes('\u0000') && text.isWellFormed();
