import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Adapters } from '../../../wiring/adapters.ts';
import { createPolicyEnvironment } from '../../support/documents/policy-environment.ts';
import { local } from '../../support/documents/put-document.ts';

let env: Awaited<ReturnType<typeof createPolicyEnvironment>>;
let adapters: Adapters;

beforeAll(async () => {
  env = await createPolicyEnvironment();
  adapters = env.adapters;
});
afterAll(() => env?.close());

test.each([
  ['How many days do I have to file an expense report?', 'expenses.md', '30 calendar days'],
  ['What is the limit for a taxi ride?', 'expenses.md', '60 EUR a ride'],
  ['How many vacation days of paid leave per year?', 'leave.html', '28 working days'],
  ['When does unused leave lapse?', 'leave.html', '31 March'],
  ['How long must my password be?', 'information-security.txt', '14 characters'],
  ['I lost a device, how fast do I report it?', 'information-security.txt', 'within 1 hour'],
  ['How many quotes are needed for a purchase of 20,000 EUR?', 'procurement.md', 'Department head and Procurement'],
  ['May I travel first class by train?', 'travel.md', 'first class from 2 hours on'],
])('“%s” is answered among the first three passages', async (question, document, answer) => {
  const { passages } = await adapters.index.search(local, { query: question, limit: 3 });
  const found = passages
    .filter((passage) => passage.document === document)
    .map(({ text }) => text.replace(/\s+/g, ' '));
  expect(found.join('\n')).toContain(answer);
});
