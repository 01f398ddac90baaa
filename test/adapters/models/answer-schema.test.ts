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
  test('closes every object, also in lists and alternatives', () => {
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
    ['an object that allows other keys', z.looseObject({ a: z.string() })],
    ['recursion', Tree],
    ['a root that is not an object', z.array(z.string())],
  ])('is refused when it would change the meaning: %s', (_, type) => {
    expect(closedOf(type)).toBeUndefined();
  });
});

describe('describing constraints', () => {
  test('moves bounds, patterns and formats into descriptions', () => {
    const type = z.object({ link: z.url().describe('Where it stands.'), few: z.array(z.int().min(1)).max(3) });
    const schema = describeConstraints(closedOf(type) ?? {});
    expect(schema).toMatchObject({
      properties: {
        link: { type: 'string', description: expect.stringMatching(/^Where it stands\. – .*format: "uri"/) as unknown },
        few: { description: 'maxItems: 3', items: { description: expect.stringContaining('minimum: 1') as unknown } },
      },
    });
    expect(JSON.stringify(schema)).not.toMatch(/"(format|pattern|maxItems|minimum|maximum|\$schema)":/);
  });

  test('keeps properties with the names of keywords', () => {
    const schema = describeConstraints(closedOf(z.object({ format: z.string(), pattern: z.string() })) ?? {});
    expect(schema).toMatchObject({ properties: { format: { type: 'string' }, pattern: { type: 'string' } } });
  });
});

describe('OpenAI’s strict mode', () => {
  test('fits a schema that requires every property, with any constraints', () => {
    const type = z.object({ mail: z.email(), level: z.enum(['low', 'high']), note: z.string().min(1).nullable() });
    expect(strictOf(type)).toBe(true);
  });

  test.each<[string, z.ZodType]>([
    ['a property is optional', z.object({ a: z.string().optional() })],
    ['a nested property is optional', z.object({ list: z.array(z.object({ a: z.string().default('x') })) })],
    ['a property has no type', z.object({ a: z.unknown() })],
    ['a list is a tuple', z.object({ pair: z.tuple([z.string(), z.number()]) })],
  ])('does not fit when %s', (_, type) => {
    expect(strictOf(type)).toBe(false);
  });
});
