import type { z } from 'zod';

/** What the caller finds in a request for what the schemas call by another name. */
const nouns: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a text',
};

const formats: Record<string, string> = {
  date: 'a day like 2026-11-24',
  datetime: 'a time like 2026-11-24T08:00:00Z',
  url: 'an address that begins with http:// or https://',
  uuid: 'an id: a UUID',
};

/**
 * Says in plain words what is wrong with a value of a request. A schema's own message comes first.
 *
 * @returns undefined for a fault that has no words here
 */
export const plainMessage: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return `expected ${nouns[issue.expected] ?? issue.expected}, received ${kindOf(issue.input)}`;
    case 'too_big':
      return `expected ${sizeOf(issue.origin, Number(issue.maximum), 'at most')}`;
    case 'too_small':
      if (issue.origin === 'string' && Number(issue.minimum) === 1) return 'must not be empty';
      return `expected ${sizeOf(issue.origin, Number(issue.minimum), issue.inclusive === false ? 'more than' : 'at least')}`;
    case 'invalid_value':
      return `expected ${issue.values.map(String).join(' or ')}`;
    case 'invalid_format':
      return issue.format in formats ? `expected ${formats[issue.format]}` : undefined;
    case 'unrecognized_keys':
      return `unknown: ${issue.keys.join(', ')}`;
    default:
      return undefined;
  }
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isNaN(value) ? 'something else' : 'a number';
  return nouns[typeof value] ?? typeof value;
}

function sizeOf(origin: string, size: number, relation: string): string {
  const amount = `${relation} ${size.toLocaleString('en')}`;
  if (origin === 'string') return `${amount} ${size === 1 ? 'character' : 'characters'}`;
  if (['array', 'set', 'object', 'record'].includes(origin)) return `${amount} ${size === 1 ? 'entry' : 'entries'}`;
  return amount;
}
