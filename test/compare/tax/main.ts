import { allCases } from './cases.ts';
import { coveragePage } from './coverage-page.ts';

/** `cases`: for compare.py. `page`: docs/reference/tax-coverage.md, which a test compares. */
const written: Readonly<Record<string, () => string>> = {
  cases: () => `${JSON.stringify(allCases())}\n`,
  page: coveragePage,
};

const write = written[process.argv[2] ?? ''];
if (!write) throw new Error('usage: node test/compare/tax/main.ts cases | page');
process.stdout.write(write());
