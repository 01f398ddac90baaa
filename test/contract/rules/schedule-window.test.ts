import { expect, test } from '@jest/globals';
import { findNoRunAhead } from '../../../contract/rules/schedule-window.ts';

const now = Date.parse('2026-11-28T12:00:00Z');
const zone = { timeZone: 'UTC' };

test.each([
  ['every hour', { everyS: 3_600 }],
  ['every hour, with an end after the next one', { everyS: 3_600, endAt: '2026-11-28T13:00:00Z' }],
  ['a time today', { cron: '30 12 * * *', endAt: '2026-11-28T13:00:00Z' }],
  ['a time of a zone', { cron: '30 13 * * *', timeZone: 'Europe/Berlin', endAt: '2026-11-28T13:00:00Z' }],
  ['29 February, years away', { cron: '0 8 29 2 MON' }],
  ['an interval in cron', { cron: '@every 5m', endAt: '2026-11-28T12:01:00Z' }],
  ['an expression that is refused for another reason', { cron: 'every day' }],
])('may run: %s', (_, timing) => {
  expect(findNoRunAhead({ ...zone, ...timing }, now)).toBeUndefined();
});

test.each([
  ['an end in the past', { everyS: 60, endAt: '2026-11-28T12:00:00Z' }, 'endAt is in the past'],
  ['an end before the next interval', { everyS: 86_400, endAt: '2026-11-28T23:00:00Z' }, 'before endAt'],
  [
    'a start after the last interval',
    { everyS: 86_400, startAt: '2027-01-01T01:00:00Z', endAt: '2027-01-01T09:00:00Z' },
    'before endAt',
  ],
  ['a time that is over today', { cron: '30 11 * * *', endAt: '2026-11-28T23:00:00Z' }, 'before endAt'],
  [
    'a time of a zone that is over',
    { cron: '30 12 * * *', timeZone: 'Europe/Berlin', endAt: '2026-11-28T23:00:00Z' },
    'before endAt',
  ],
  ['a year that is over', { cron: '0 8 * * * 2025' }, 'no time that fits it lies ahead'],
])('never runs: %s', (_, timing, words) => {
  expect(findNoRunAhead({ ...zone, ...timing }, now)).toContain(words);
});
