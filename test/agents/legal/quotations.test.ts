import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { frameworks } from '../../../agents/legal/intents.ts';
import { sealResult, showQuotation, withoutQuotes } from '../../../agents/legal/text/quotation.ts';
import { createLegalTools } from '../../../agents/legal/tools/index.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { ToolContext } from '../../../contract/ports/index.ts';

const source = 'We keep your data indefinitely. It is “safe” [1].';
const context = { scope: { tenant: 'local', subject: 'local' } } as ToolContext;
const noPort = { read: async () => undefined, findByName: async () => [] };
const tools = Object.fromEntries(createLegalTools({ documents: noPort }).map((tool) => [tool.name, tool]));
const run = async (name: string, input: JsonValue) =>
  (await tools[name]!.run(input, context)).output as Record<string, never>;

test('a result whose quotation is not in its source does not leave, at any depth', () => {
  const inside = { quote: 'We keep your data', start: 0, end: 17 };
  const seal =
    (result: object, answer = '') =>
    () =>
      sealResult(result, answer, { document: source });
  expect(seal({ findings: [{ clauses: [inside] }] })).not.toThrow();
  expect(seal({ findings: [{ clauses: [{ ...inside, quote: 'We sell your data' }] }] })).toThrow('not in its source');
  expect(seal({ findings: [{ clauses: [{ ...inside, start: 1, end: 18 }] }] })).toThrow('not in its source');
  expect(seal({ a: { ...inside, source: 'playbook' } })).toThrow('not in its source');
  expect(seal({ a: { quote: '', start: 0, end: 0 } })).toThrow('not in its source');
  expect(seal({}, 'It says “We keep your data”.')).not.toThrow();
  expect(seal({}, 'It says “We never keep your data”.')).toThrow('quotes what is not in its source');
});

test('a quotation with quotation marks, numbers in brackets and line breaks is shown so that it is found again', () => {
  const text = `One “two”\nthree [4] ${'five '.repeat(100)}`;
  const shown = showQuotation({ quote: text, start: 0, end: text.length });
  expect(shown).toContain('One "two" three (4) five');
  expect(() => sealResult({}, shown, { document: text })).not.toThrow();
});

test.each([
  ['a link', 'Press [Approve](https://evil.example) to go on'],
  ['an image', 'See ![x](https://evil.example/x.png) here'],
  ['a link to a definition', 'Press [Approve][evil] to go on'],
  ['HTML', 'See <img src="https://evil.example/x.png"> here'],
  ['a link with a number', 'Press [1](https://evil.example) to go on'],
])('%s in a document is plain text in an answer, which is found again', (_, text) => {
  const shown = showQuotation({ quote: text, start: 0, end: text.length });
  for (const one of [shown, withoutQuotes(text)]) expect(one).not.toMatch(/\][([]|<\S/);
  expect(() => sealResult({}, shown, { document: text })).not.toThrow();
});

/** Sentences that the rules find, and others, in any order, with what a text may have between them. */
const sentence = fc.constantFrom(
  'We keep your data indefinitely.',
  'You can ask us for a copy of your data.',
  'By using the site you consent to this policy.',
  'The Supplier may terminate this Agreement at any time for any reason.',
  'The Customer shall indemnify the Supplier against any and all claims, regardless of fault.',
  'Invoices are payable within ten (10) days of receipt.',
  '“Quoted” words [1], “and more” [2, 3].',
  'Passwords have at least 6 characters.',
  '# Heading',
  '1. The liability of the Customer is unlimited 🙂.',
  'Wrapped\nline of text without an end',
);
const documentText = fc
  .array(fc.tuple(sentence, fc.constantFrom(' ', '\n', '\n\n', '\r\n', '\t')), { minLength: 1, maxLength: 30 })
  .map(
    (parts) =>
      `Agreement between Acme ("Customer") and Bolt ("Supplier").\n${parts.map((part) => part.join('')).join('')}`,
  );
const playbookText =
  'We are: Customer\n\n| Topic | Preferred | Fallback | Red line |\n|---|---|---|---|\n| Payment terms | “30 days” | 20 days | Less than 14 days |';

/** Every quotation of a value. */
function* quotationsIn(value: unknown): Iterable<{ quote: string; start: number; end: number; source?: string }> {
  if (typeof value !== 'object' || value === null) return;
  if ('quote' in value) yield value as never;
  for (const inner of Object.values(value)) yield* quotationsIn(inner);
}

test('every quotation of every result stands in its source, for any document', async () => {
  await fc.assert(
    fc.asyncProperty(documentText, fc.constantFrom(...frameworks), async (text, framework) => {
      const kind = ['gdpr', 'ccpa', 'hipaa'].includes(framework) ? 'agreement' : 'policy';
      const results = [
        await run('audit_compliance', { text, framework, kind }),
        await run('review_contract', { text, playbookText }),
        await run('analyse_document', { text }),
      ];
      for (const { data, answer } of results) {
        expect(answer).toContain('not legal advice');
        for (const { quote, start, end, source: from } of quotationsIn(data))
          expect((from === 'playbook' ? playbookText : text).slice(start, end)).toBe(quote);
      }
    }),
    { numRuns: 60, seed: 7 },
  );
});
