import { expect, it } from '@jest/globals';
import * as terminal from '../../../cli/terminal/format.ts';
import { formatDollars, formatDuration, formatPlace } from '../../../slack/rendering/format.ts';
import { citation } from './events.ts';

it('shows numbers and places as the command line does', () => {
  for (const ms of [-1, 0, 840, 3_200, 59_999, 245_000, 7_500_000])
    expect(formatDuration(ms)).toBe(terminal.formatDuration(ms));
  for (const usd of [0, 0.00001, 0.0123, 1.5]) expect(formatDollars(usd)).toBe(terminal.formatDollars(usd));
  expect(formatPlace(citation(1))).toBe(terminal.formatPlace(citation(1)));
  expect(formatPlace({ ...citation(1), page: null })).toBe('policies/expenses.md › Filing');
});
