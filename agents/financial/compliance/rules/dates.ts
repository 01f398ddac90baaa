import { createHolidayCalendar, weekdayOf } from '../days.ts';
import type { Finding } from '../finding.ts';
import type { Transaction } from '../transactions.ts';
import type { Rule } from './rule.ts';

const shows = ['date', 'supplier', 'customer', 'invoice', 'gross', 'net'] as const;

/** Days on which offices are closed, that are still to come, or that are not in the period. */
export const findOddDates: Rule = function* ({ ledger, place, today, period }) {
  const weekend: Transaction[] = [];
  const future: Transaction[] = [];
  const outside: Transaction[] = [];
  const holidays = new Map<string, { name: string; rows: Transaction[] }>();
  const holidayOf = place && createHolidayCalendar(place.holidays);
  for (const one of ledger.transactions) {
    const { date } = one;
    if (date === undefined) continue;
    if (date > today) future.push(one);
    if ((period.from !== undefined && date < period.from) || (period.to !== undefined && date > period.to))
      outside.push(one);
    const holiday = holidayOf?.(date);
    if (holiday !== undefined) {
      const found = holidays.get(date) ?? { name: holiday, rows: [] };
      found.rows.push(one);
      holidays.set(date, found);
    } else if ([0, 6].includes(weekdayOf(date))) weekend.push(one);
  }
  if (future.length > 0)
    yield finding(
      'future-date',
      'high',
      future,
      `${future.length} row(s) are dated after ${today}`,
      'Correct the date, or take the booking out of the period.',
    );
  if (outside.length > 0)
    yield finding(
      'outside-period',
      'medium',
      outside,
      `${outside.length} row(s) are not from ${period.from ?? 'the beginning'} to ${period.to ?? 'the end'}`,
      'Book them in the period that they belong to.',
    );
  if (weekend.length > 0)
    yield finding(
      'weekend',
      'low',
      weekend,
      `${weekend.length} row(s) are dated on a Saturday or Sunday`,
      'See whether the party works on such days.',
    );
  for (const [day, { name, rows }] of holidays)
    yield finding(
      'holiday',
      'low',
      rows,
      `${rows.length} row(s) are dated ${day}, a public holiday (${name})`,
      'See whether the party works on such days.',
    );
};

const finding = (
  rule: string,
  severity: Finding['severity'],
  rows: Transaction[],
  text: string,
  action: string,
): Finding => ({
  rule,
  severity,
  finding: text,
  action,
  rows,
  shows,
});
