import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ScheduleSpec } from '@temporalio/client';
import { clockChanges, runsAround } from '../../../contract/rules/clock-changes.ts';
import { readCron } from '../../../contract/rules/cron.ts';
import { timingWarnings } from '../../../contract/rules/schedule-warnings.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

const hourMs = 3_600_000;
const now = Date.parse('2026-11-28T00:00Z');

let env: TestEnvironment;
let created = 0;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

/** Creates a schedule in Temporal, past our own checks. @returns its description, or undefined when it is refused */
async function describeInTemporal(spec: ScheduleSpec) {
  try {
    const handle = await env.client.schedule.create({
      scheduleId: `timing-${++created}`,
      spec: { timezone: 'UTC', ...spec },
      action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none', args: [] },
      state: { paused: true },
    });
    const description = await handle.describe();
    await handle.delete();
    return description;
  } catch (error) {
    expect(String((error as Error).cause)).toContain('Invalid schedule spec');
    return undefined;
  }
}

type Range = { start?: number | null; end?: number | null; step?: number | null };
const valuesOf = (ranges: readonly Range[] | null | undefined, modulus = Infinity) => {
  const values = new Set<number>();
  for (const { start, end, step } of ranges ?? [])
    for (let value = start ?? 0; value <= Math.max(start ?? 0, end ?? 0); value += step || 1)
      values.add(value % modulus);
  return [...values].sort((a, b) => a - b);
};
const sorted = (values: ReadonlySet<number> | undefined) => [...(values ?? [])].sort((a, b) => a - b);

describe('a cron expression', () => {
  test.each([
    '0 8 * * MON-FRI',
    '*/5 8,12,16-18 1-31/2 jan-Mar,oct mo,Wednesday,5-7',
    '5/15 */6 * sept 0,7',
    '*/60 */24 29 2 */7',
    '05 08 * * 0-7',
    '0 8 1 * MON',
    '0 8 * * * 2027-2030,2040',
    '*/30 0 8 * * * *',
    '0 0 8 * * tues 2027/2',
    '@weekly',
    '@annually',
    '@midnight',
  ])('%s is read as Temporal reads it', async (cron) => {
    const read = readCron(cron);
    if (!('times' in read)) throw new Error(JSON.stringify(read));
    const [calendar] =
      (await describeInTemporal({ cronExpressions: [cron] }))?.raw.schedule?.spec?.structuredCalendar ?? [];
    const { second, minute, hour, dayOfMonth, month, dayOfWeek, year } = read.times;
    expect([second, minute, hour, dayOfMonth, month, dayOfWeek, year].map(sorted)).toEqual([
      valuesOf(calendar?.second),
      valuesOf(calendar?.minute),
      valuesOf(calendar?.hour),
      valuesOf(calendar?.dayOfMonth),
      valuesOf(calendar?.month),
      valuesOf(calendar?.dayOfWeek, 7),
      valuesOf(calendar?.year),
    ]);
  });

  test.each(['@every 1h', '@every 90s/30s', '@every 1h30m', '@every 1d'])('%s is an interval', async (cron) => {
    expect(readCron(cron)).toEqual({ interval: true });
    expect((await describeInTemporal({ cronExpressions: [cron] }))?.spec.intervals).toHaveLength(1);
  });

  // Temporal takes the first ones for something else than most people mean, and refuses the others in short words.
  test.each([
    ['0 8 * * MON-FRI#2', '"#" would begin a comment', 'takes'],
    ['0 8 * * MON #2', 'write "0 8 8-14 * MON"', 'takes'],
    ['0 0 8 * * *', 'Temporal reads the last as the year ("*")', 'takes'],
    ['*/90 * * * *', 'leaves only 0. For an interval like every 90 minutes, use everyS with 5400', 'takes'],
    ['0 8 */31 * *', 'leaves only 1', 'takes'],
    ['0 8 * * MON/2', 'name the days, like MON,WED,FRI', 'takes'],
    ['+5 8 * * *', 'minute "+5" is not understood', 'takes'],
    ['0 8 31 2,4 *', 'there is no day 31 in month 2, 4', 'takes'],
    ['0 8 L * *', 'no last day (L)', 'refuses'],
    ['0 8 15W * *', 'no nearest weekday (W)', 'refuses'],
    ['0 8 * * 5L', 'no last day (L)', 'refuses'],
    ['0 8 ? * MON', 'day of month "?" is not known: write *', 'refuses'],
    ['0 0 8 ? * MON *', 'day of month "?" is not known: write *', 'refuses'],
    ['0 0 8 * * MON', 'reads the last as the year ("MON")', 'refuses'],
    ['CRON_TZ=Europe/Berlin 0 8 * * *', 'name it in timeZone', 'refuses'],
    ['@reboot', 'expected @yearly', 'refuses'],
    ['@DAILY', 'expected @yearly', 'refuses'],
    ['@every 10', '@every with 90s, 5m or 1h', 'refuses'],
    ['0 8 * * FRI-MON', 'ends before it begins: write 5-7,1', 'refuses'],
    ['0 8 * * SAT-SUN', 'write 6-7', 'refuses'],
    ['0 22-2 * * *', 'write 22-23,0-2', 'refuses'],
    ['0 8 * NOV-FEB *', 'write 11-12,1-2', 'refuses'],
    ['*/0 * * * *', 'a step that is no number from 1 on', 'refuses'],
    ['*/5/2 * * * *', 'more than one step', 'refuses'],
    ['60 * * * *', 'minute 60 is not in the range 0-59', 'refuses'],
    ['0 24 * * *', 'hour 24 is not in the range 0-23', 'refuses'],
    ['0 8 0 * *', 'day of month 0 is not in the range 1-31', 'refuses'],
    ['0 8 * * 8', 'day of week 8 is not in the range 0-7', 'refuses'],
    ['0 8 1-5-7 * *', 'more than one dash', 'refuses'],
    ['0 8 * * MON,', 'day of week "" is not understood', 'refuses'],
    ['0 8 * * lun', 'day of week "lun" is not understood', 'refuses'],
    ['0 8 * * ＭＯＮ', 'is not understood', 'refuses'],
    ['0 8 * * MON, TUE', 'reads the last as the year ("TUE")', 'refuses'],
    ['0 8 * * MON - FRI', 'is not', 'refuses'],
    ['0 8 * * * 1999', 'year 1999 is not in the range 2000-2100', 'refuses'],
    ['every day', 'has 2 fields: expected five', 'refuses'],
    ['0 8 * * *\n0 9 * * *', 'has 10 fields', 'refuses'],
  ])('%j is refused: %s (Temporal %s it)', async (cron, message, verb) => {
    expect(readCron(cron)).toEqual({ fault: expect.stringContaining(message) });
    expect((await describeInTemporal({ cronExpressions: [cron] })) === undefined).toBe(verb === 'refuses');
  });
});

describe('when the clocks change', () => {
  test.each([
    ['Europe/Berlin', ['30 2 * * *', '30 1 * * *', '0 3 * * *', '*/30 * * * *', '30 1-3 * * *', '*/20 0 2 * * * *']],
    ['Europe/London', ['30 0 * * *', '30 1 * * *', '*/30 * * * *']],
    ['America/New_York', ['30 2 * * *', '30 1 * * *', '0 0-4 * * *', '*/30 * * * *']],
    ['America/Santiago', ['30 23 * * SAT', '@daily', '0 */2 * * *', '*/30 * * * *']],
    ['Australia/Lord_Howe', ['15 2 * * *', '15 1 * * *', '45 1 * * *', '*/15 * * * *']],
  ])('in %s, runs are foreseen as Temporal makes them', async (timeZone, crons) => {
    const changes = clockChanges(timeZone, Date.parse('2027-01-01'), Date.parse('2028-01-01'));
    expect(changes).toHaveLength(2);
    for (const change of changes)
      for (const cron of crons) {
        const from = change.at - 3 * hourMs;
        const description = await describeInTemporal({
          cronExpressions: [cron],
          timezone: timeZone,
          startAt: new Date(from),
          endAt: new Date(change.at + 3 * hourMs),
        });
        const read = readCron(cron);
        if (!('times' in read)) throw new Error(JSON.stringify(read));
        const foreseen = runsAround(read.times, change, { from, to: change.at + 3 * hourMs }).map(
          ({ at }) => new Date(at),
        );
        // Temporal lists ten.
        expect({ cron, runs: foreseen.slice(0, 10) }).toEqual({ cron, runs: description?.info.nextActionTimes });
      }
  });

  test.each([
    [
      'Europe/Berlin',
      '30 2 * * *',
      'go forward on 2027-03-28, when 02:00 becomes 03:00: then it does not run at 02:30.',
    ],
    [
      'Europe/Berlin',
      '30 1 * * *',
      'go back on 2027-10-31, when 03:00 becomes 02:00: then it runs once more at 02:30 (00:30 UTC).',
    ],
    ['America/New_York', '30 1 * * *', 'then it runs once more at 01:30 (06:30 UTC).'],
    ['America/Santiago', '@daily', 'when 00:00 becomes 01:00: then it does not run at 00:00.'],
    ['Australia/Lord_Howe', '15 2 * * *', 'then it runs at 02:45 (15:45 UTC) in place of 02:15.'],
    ['Europe/Berlin', '* * 2 * * * *', 'then it does not run at 02:00, 02:01, 02:02 and more.'],
  ])('in %s, %s has a warning', (timeZone, cron, message) => {
    expect(timingWarnings({ cron, timeZone }, now)).toContainEqual(expect.stringContaining(message));
  });

  test.each([
    ['UTC', '30 2 * * *'],
    ['Asia/Tokyo', '30 2 * * *'],
    ['Europe/Berlin', '0 8 * * MON-FRI'],
    ['Europe/Berlin', '30 2 * * MON-SAT'],
    ['Europe/Berlin', '30 2 1 * *'],
    ['Europe/Berlin', '*/30 * * * *'],
    ['Europe/Berlin', '15 * * * *'],
    ['Europe/Berlin', '0 */6 * * *'],
    ['Europe/Berlin', '@every 1h'],
  ])('in %s, %s has no warning', (timeZone, cron) => {
    expect(timingWarnings({ cron, timeZone }, now)).toEqual([]);
  });

  test('the changes of a zone are looked for once for all schedules', () => {
    const formats = jest.spyOn(Intl, 'DateTimeFormat');
    for (let n = 0; n < 200; n++)
      expect(timingWarnings({ cron: `${n % 60} 2 * * *`, timeZone: 'Europe/Sofia' }, now + n * hourMs)).toHaveLength(1);
    expect(formats.mock.calls.length).toBeLessThanOrEqual(3);
    formats.mockRestore();
  });

  test('a schedule that ends before the change, or begins long after it, is measured by its own year', () => {
    const timing = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    expect(timingWarnings({ ...timing, endAt: '2027-03-01T00:00:00Z' }, now)).toEqual([]);
    expect(timingWarnings({ ...timing, startAt: '2028-06-01T00:00:00Z' }, now)[0]).toContain('2029-03-25');
  });
});

test.each([
  ['0 8 1 * MON', 1],
  ['0 8 8-14 * MON', 1],
  ['0 8 */2 * MON', 0],
  ['0 8 1 * *', 0],
  ['0 8 1-31 * 0-6', 0],
])('%s has %d warnings of two kinds of day', (cron, count) => {
  const warnings = timingWarnings({ cron, timeZone: 'UTC' }, now);
  expect(warnings).toHaveLength(count);
  if (count > 0) expect(warnings[0]).toContain('only on days that are both');
});
