import { expect, test } from '@jest/globals';
import { TaxInput } from '../../../agents/financial/intents.ts';
import { callOf } from '../../../agents/financial/offline-call.ts';
import { calculate } from '../../../agents/financial/tax/calculate.ts';
import { calculateTaxTool } from '../../../agents/financial/tools/calculate-tax.ts';
import { renderRates } from '../../../agents/financial/tax/render.ts';
import { chooseYears } from '../../../agents/financial/tax/choose-years.ts';

test.each([
  [
    'What tax on 180,000 USD single in California and Texas, 2025?',
    { places: ['us-ca', 'us-tx'], year: '2025', income: '180000', currency: 'USD', status: 'single' },
  ],
  ['How much is left net of a salary of 70,000 EUR in Germany?', { places: ['de'], income: '70000', currency: 'EUR' }],
  ['What tax on £60k in England 2025-26?', { places: ['gb'], year: '2025-26', income: '60000', currency: 'GBP' }],
  ['What tax on 13 lakh in India, old regime?', { places: ['in'], income: '1300000', regime: 'old' }],
  [
    'What tax on $1.5 million in New York, United States, married with two children?',
    { places: ['us-ny'], income: '1500000', status: 'married', children: 2 },
  ],
  [
    'Corporation tax on a profit of 100,000 GBP in the UK?',
    { places: ['gb'], income: '100000', currency: 'GBP', entity: 'corporation' },
  ],
])('“%s” is read as a calculation', (text, fields) => {
  expect(callOf(text)).toEqual({ name: 'calculate_tax', arguments: fields });
  expect(TaxInput.safeParse(fields).success).toBe(true);
});

test('a question for brackets is read as one for rates', () => {
  expect(callOf('Which tax brackets apply in Japan?')).toEqual({
    name: 'show_rates',
    arguments: { places: ['jp'] },
  });
});

test.each([
  'Which VAT rate has a book in Ireland?',
  'What tax on 50,000 and 60,000 EUR in France?',
  'What tax on dividends of 10,000 EUR in Germany?',
  'We pay 5,000 EUR rent in Germany: is it tax deductible?',
  'Our office in Texas cost 12,000 USD, who approved it?',
  'What tax on 180,000?',
  'How long does our cash last?',
  'What tax on €50.000 in Germany?',
  'What tax on 45.000 EUR in Germany?',
  'What tax on 1.250,50 EUR in Germany?',
  'What tax on 1,50 EUR in Germany?',
  'What tax on 50 000 EUR in Germany?',
  'What tax on £3,000 per month in the UK?',
  'What tax on £3,000 a week in the UK?',
  'What tax on -50,000 USD in Texas?',
  'What tax on -$50,000 in Texas?',
  'What tax on a loss of 50,000 USD in Texas?',
  'What tax on 120,000 USD in New York City?',
])('“%s” is left to a model', (text) => {
  expect(callOf(text)).toBeUndefined();
});

const asked = (more: object) => () => calculate(TaxInput.parse({ places: ['us-ca'], income: 100, ...more }));

test.each([
  ['an unknown year', { year: '2019' }, 'The tax year 2019 is not known. California has 2024, 2025.'],
  [
    'two years where a year is one',
    { year: '2025-26' },
    'The tax year 2025-26 is not known. California has 2024, 2025.',
  ],
  ['years that do not follow', { places: ['au'], year: '2024-26' }, 'Australia has 2023-24, 2024-25, 2025-26.'],
  ['another currency', { currency: 'EUR' }, 'give the amounts in USD'],
  ['several currencies', { places: ['us', 'gb'] }, 'USD and GBP, and nothing is converted'],
  ['a partner where each is taxed alone', { places: ['gb'], partnerIncome: 1 }, 'ask for the income of each'],
  ['a partner of a single person', { partnerIncome: 1 }, 'the status is "single"'],
  ['a deduction in the new regime', { places: ['in'], deductions: 1 }, 'regime: "old"'],
  ['a corporation without a plain rate', { places: ['us-tx'], entity: 'corporation' }, 'the franchise tax is due on'],
])('%s is refused with what to do', (_, more, message) => {
  expect(asked(more)).toThrow(message);
  expect(asked(more)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
});

test('without a year, places are compared in the latest that all of them have', () => {
  expect(chooseYears(['us-tx', 'us-ca'], undefined).map(({ year }) => year)).toEqual(['2025', '2025']);
  expect(chooseYears(['us-tx'], undefined).map(({ year }) => year)).toEqual(['2026']);
});

test('what was given and makes no difference is said', () => {
  const [assessed] = calculate(TaxInput.parse({ places: ['sg'], income: 50_000, children: 2, status: 'married' }));
  expect(assessed?.assumes.join(' ')).toMatch(/The status makes no difference.*number of children makes no difference/);
});

test('a person of 65 or more has a second exemption credit in California', () => {
  const creditsAt = (age: number) =>
    calculate(TaxInput.parse({ places: ['us-ca'], year: '2025', income: 90_000, age }))[0]
      ?.levies.find(({ name }) => name === 'California income tax')
      ?.parts.find(({ label }) => label === 'Exemption credits')
      ?.amount.toNumber();
  expect([creditsAt(64), creditsAt(65)]).toEqual([-153, -306]);
});

test.each([
  [['de'], undefined],
  [['us-ca'], ['calculation.json']],
  [['us-ca', 'us-tx'], ['calculation.json']],
  [['de', 'fr', 'ie'], ['calculation.json']],
])('what is due in %j fits into one result, and the rest is a file', async (places, files) => {
  const context = { signal: AbortSignal.abort() } as never;
  const { output, artifacts } = await calculateTaxTool.run(
    { places, year: '2025', income: 180_000, entity: 'individual' },
    context,
  );
  expect(JSON.stringify(output).length).toBeLessThanOrEqual(5_000);
  expect(artifacts?.map(({ name }) => name)).toEqual(files);
  expect(JSON.stringify(output)).toContain('"total"');
});

test('half-parts of children save no more than the cap, and a single parent more for the first child', () => {
  const due = (more: object) =>
    calculate(
      TaxInput.parse({ places: ['fr'], year: '2024', income: 0, otherIncome: 150_000, ...more }),
    )[0]?.total.toNumber() ?? 0;
  expect(due({}) - due({ status: 'single', children: 1 })).toBe(1_791);
  expect(due({}) - due({ status: 'head', children: 1 })).toBe(4_224);
  expect(due({ status: 'married' }) - due({ status: 'married', children: 3 })).toBe(4 * 1_791);
});

test('a rate sheet of several states shows what they share once', () => {
  const shown = renderRates(chooseYears(['us-ca', 'us-ny'], '2025'));
  expect(shown.split('US federal income tax, single').length).toBe(2);
  expect(shown.length).toBeLessThan(8_000);
});
