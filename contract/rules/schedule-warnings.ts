import { readCron, type CronTimes } from './cron.ts';
import { clockChanges, runsAround, type ClockChange, type ClockRun } from './clock-changes.ts';

type Timing = {
  cron?: string | undefined;
  timeZone: string;
  startAt?: string | undefined;
  endAt?: string | undefined;
};

const hourMs = 3_600_000;
const yearMs = 366 * 86_400_000;
/** How far before and after a change its effects reach. */
const marginMs = 3 * hourMs;
/** Times that a warning lists. */
const shownTimes = 3;

/** What a person may not expect of a schedule's timing, in whole sentences. Empty for most. */
export function timingWarnings({ cron, ...timing }: Timing, now: number): string[] {
  if (cron === undefined) return [];
  const read = readCron(cron);
  // Schedules from before a rule was checked.
  if ('fault' in read) return [`The cron expression "${cron}" would be refused today: ${read.fault}.`];
  if ('interval' in read) return [];
  return [...dayWarnings(read), ...clockWarnings(read.times, timing, now)];
}

/** Temporal asks for both days; most cron programs take either, unless one of the fields begins with `*`. */
function dayWarnings({
  times,
  written: [, , dayOfMonth = '*', , dayOfWeek = '*'],
}: {
  times: CronTimes;
  written: readonly string[];
}) {
  if (dayOfMonth.startsWith('*') || dayOfWeek.startsWith('*')) return [];
  if (times.dayOfMonth.size === 31 && times.dayOfWeek.size === 7) return [];
  return [
    `It runs only on days that are both: day of month ${dayOfMonth} and day of week ${dayOfWeek}. Many cron programs run on either. For either, create two schedules.`,
  ];
}

/**
 * Changes of the zone's clocks within a year that leave runs out, move them or add some. A schedule that runs in every
 * hour gets no warning: it loses or gains an hour's runs.
 */
function clockWarnings(times: CronTimes, { timeZone, startAt, endAt }: Omit<Timing, 'cron'>, now: number): string[] {
  if (times.hour.size === 24) return [];
  const from = Math.max(now, startAt === undefined ? now : Date.parse(startAt));
  const to = Math.min(from + yearMs, endAt === undefined ? Infinity : Date.parse(endAt));
  return clockChanges(timeZone, from, to).flatMap((change) => {
    const effect = effectOf(times, change);
    return effect === undefined
      ? []
      : [
          `${changeText(timeZone, change)}: then ${effect}. For exactly one run, choose a time some hours away from it, or the time zone UTC.`,
        ];
  });
}

/** What a change does to the runs around it, compared with clocks that do not change; undefined if nothing. */
function effectOf(allTimes: CronTimes, change: ClockChange): string | undefined {
  // Minutes are enough for a warning.
  const times = { ...allTimes, second: new Set([Math.min(...allTimes.second)]) };
  const [from, to] = [change.at - marginMs, change.at + marginMs];
  const actual = runsAround(times, change, { from, to });
  // The same stretch of clock times, with clocks that stand at UTC and never change.
  const steady = { at: Infinity, before: 0, after: 0 };
  const usual = runsAround(times, steady, { from: from + change.before, to: to + change.after });
  const seen = new Set(actual.map(({ wall }) => wall));
  const expected = new Set(usual.map(({ wall }) => wall));
  const missing = usual.filter(({ wall }) => !seen.has(wall));
  const before = new Set<number>();
  const added = actual.filter(({ wall }) => {
    const isRepeated = before.has(wall);
    before.add(wall);
    return isRepeated || !expected.has(wall);
  });
  if (missing.length === 0 && added.length === 0) return undefined;
  if (added.length === 0) return `it does not run at ${timesText(missing)}`;
  if (missing.length === 0) return `it runs once more at ${timesText(added, true)}`;
  return `it runs at ${timesText(added, true)} in place of ${timesText(missing)}`;
}

function changeText(timeZone: string, { at, before, after }: ClockChange): string {
  const direction = after > before ? 'forward' : 'back';
  return `The clocks of ${timeZone} go ${direction} on ${dateText(at + before)}, when ${timeText(at + before)} becomes ${timeText(at + after)}`;
}

function timesText(runs: readonly ClockRun[], withUtc = false): string {
  const texts = runs
    .slice(0, shownTimes)
    .map(({ at, wall }) => timeText(wall) + (withUtc ? ` (${timeText(at)} UTC)` : ''));
  return texts.join(', ') + (runs.length > shownTimes ? ' and more' : '');
}

const dateText = (wall: number) => new Date(wall).toISOString().slice(0, 10);
const timeText = (wall: number) => new Date(wall).toISOString().slice(11, 16);
