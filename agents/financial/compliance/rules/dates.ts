import { createHolidayCalendar, weekdayOf } from '../days.ts';
import type { Finding } from '../finding.ts';
import type { Transaction } from '../transactions.ts';
import { rowsAtOnce, type Rule } from './rule.ts';

const shows = ['date', 'supplier', 'customer', 'invoice', 'gross', 'net'] as const;

/** Days on which offices are closed, that are still to come, or that are not in the period. */
export const findOddDates: Rule = function* ({ ledger, place, today, period }) {
  const weekend: Transaction[] = [];
  const future: Transaction[] = [];
  const outside: Transaction[] = [];
  const holidays = new Map<string, { name: string; rows: Transaction[] }>();
  const holidayOf = place && createHolidayCalendar(place.holidays);
  for (const [at, one] of ledger.transactions.entries()) {
    if (at % rowsAtOnce === rowsAtOnce - 1) yield undefined;
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
  const about = (rows: Transaction[], text: string): Pick<Finding, 'finding' | 'rows' | 'shows'> => ({
    finding: `${rows.length} row(s) ${text}`,
    rows,
    shows,
  });
  const onClosedDays = { severity: 'low', action: 'See whether the party works on such days.' } as const;
  if (future.length > 0)
    yield {
      rule: 'future-date',
      severity: 'high',
      action: 'Correct the date, or take the booking out of the period.',
      ...about(future, `are dated after ${today}`),
    };
  if (outside.length > 0)
    yield {
      rule: 'outside-period',
      severity: 'medium',
      action: 'Book them in the period that they belong to.',
      ...about(outside, `are not from ${period.from ?? 'the beginning'} to ${period.to ?? 'the end'}`),
    };
  if (weekend.length > 0)
    yield { rule: 'weekend', ...onClosedDays, ...about(weekend, 'are dated on a Saturday or Sunday') };
  for (const [day, { name, rows }] of holidays)
    yield { rule: 'holiday', ...onClosedDays, ...about(rows, `are dated ${day}, a public holiday (${name})`) };
};
