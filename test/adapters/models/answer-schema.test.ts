import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { closedSchema, fitsOpenAiStrictMode, describeConstraints } from '../../../adapters/models/answer-schema.ts';
import type { JsonValue } from '../../../contract/json.ts';

const schemaOf = (type: z.ZodType) => z.toJSONSchema(type, { io: 'input' }) as Record<string, JsonValue>;
const closedOf = (type: z.ZodType) => closedSchema(schemaOf(type));
const strictOf = (type: z.ZodType) => {
  const closed = closedOf(type);
  return closed !== undefined && fitsOpenAiStrictMode(describeConstraints(closed));
};

describe('closing a schema', () => {
  test('closes every object, in lists and alternatives too', () => {
    const type = z.object({ list: z.array(z.object({ n: z.number() })), either: z.union([z.object({}), z.null()]) });
    expect(closedOf(type)).toMatchObject({
      additionalProperties: false,
      properties: {
        list: { items: { additionalProperties: false } },
        either: { anyOf: [{ additionalProperties: false }, { type: 'null' }] },
      },
    });
  });

  const Tree = z.object({
    get children() {
      return z.array(Tree);
    },
  });
  test.each<[string, z.ZodType]>([
    ['free keys', z.object({ scores: z.record(z.string(), z.number()) })],
    ['an object that takes more than it names', z.looseObject({ a: z.string() })],
    ['recursion', Tree],
    ['a root that is no object', z.array(z.string())],
  ])('is refused where it would change the meaning: %s', (_, type) => {
    expect(closedOf(type)).toBeUndefined();
  });
});

describe('the shape of a schema', () => {
  test('says bounds, patterns and formats in words and keeps nothing of them besides', () => {
    const type = z.object({ link: z.url().describe('Where it stands.'), few: z.array(z.int().min(1)).max(3) });
    const shape = describeConstraints(closedOf(type) ?? {});
    expect(shape).toMatchObject({
      properties: {
        link: { type: 'string', description: expect.stringMatching(/^Where it stands\. – .*format: "uri"/) as unknown },
        few: { description: 'maxItems: 3', items: { description: expect.stringContaining('minimum: 1') as unknown } },
      },
    });
    expect(JSON.stringify(shape)).not.toMatch(/"(format|pattern|maxItems|minimum|maximum|\$schema)":/);
  });

  test('keeps properties that are named like keywords', () => {
    const shape = describeConstraints(closedOf(z.object({ format: z.string(), pattern: z.string() })) ?? {});
    expect(shape).toMatchObject({ properties: { format: { type: 'string' }, pattern: { type: 'string' } } });
  });
});

describe('strict mode', () => {
  test('takes what requires everything, however it is bounded', () => {
    const type = z.object({ mail: z.email(), level: z.enum(['low', 'high']), note: z.string().min(1).nullable() });
    expect(strictOf(type)).toBe(true);
  });

  test.each<[string, z.ZodType]>([
    ['a property may be left out', z.object({ a: z.string().optional() })],
    ['one deep inside may', z.object({ list: z.array(z.object({ a: z.string().default('x') })) })],
    ['a property may be anything', z.object({ a: z.unknown() })],
    ['a list has places', z.object({ pair: z.tuple([z.string(), z.number()]) })],
  ])('does not when %s', (_, type) => {
    expect(strictOf(type)).toBe(false);
  });
});
