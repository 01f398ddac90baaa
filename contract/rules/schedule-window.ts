import { offsetOf } from './clock-changes.ts';
import { readCron, type CronTimes } from './cron.ts';

type Timing = {
  cron?: string | undefined;
  timeZone: string;
  everyS?: number | undefined;
  offsetS?: number | undefined;
  startAt?: string | undefined;
  endAt?: string | undefined;
};

const dayMs = 86_400_000;
/** The last year that a cron expression can name. */
const lastYear = 2100;

/**
 * Why a schedule can never run; undefined when a run may lie ahead. Clocks that change near `startAt` or `endAt` are
 * not considered.
 */
export function findNoRunAhead(timing: Timing, now: number): string | undefined {
  const { cron, timeZone, everyS, offsetS = 0, startAt, endAt } = timing;
  const from = Math.max(now, startAt === undefined ? now : Date.parse(startAt));
  const to = endAt === undefined ? Infinity : Date.parse(endAt);
  // Reported by themselves.
  if (Number.isNaN(from) || Number.isNaN(to)) return undefined;
  if (to <= now) return `endAt is in the past (${endAt}): it would never run`;
  const isRunAhead =
    everyS === undefined ? hasCronRun(cron, timeZone, from, to) : !(nextOf(everyS, offsetS, from) > to);
  if (isRunAhead) return undefined;
  return endAt === undefined
    ? 'no time that fits it lies ahead: it would never run'
    : `no time that fits it lies before endAt (${endAt}): it would never run`;
}

const nextOf = (everyS: number, offsetS: number, from: number) =>
  (Math.ceil((from / 1_000 - offsetS) / everyS) * everyS + offsetS) * 1_000;

function hasCronRun(cron: string | undefined, timeZone: string, from: number, to: number): boolean {
  const read = cron === undefined ? undefined : readCron(cron);
  // A fault is reported by itself. Intervals of `@every` are counted by Temporal.
  if (!read || !('times' in read)) return true;
  const start = from + offsetOf(timeZone, from);
  const end = to === Infinity ? Date.UTC(lastYear + 1, 0, 1) : to + offsetOf(timeZone, to);
  for (let day = Math.floor(start / dayMs) * dayMs; day <= end; day += dayMs) {
    if (isOnDay(read.times, new Date(day)) && hasTime(read.times, start - day, end - day)) return true;
  }
  return false;
}

/** @param day midnight, as if the zone's clocks showed UTC */
const isOnDay = ({ dayOfMonth, month, dayOfWeek, year }: CronTimes, day: Date) =>
  (year?.has(day.getUTCFullYear()) ?? true) &&
  month.has(day.getUTCMonth() + 1) &&
  dayOfMonth.has(day.getUTCDate()) &&
  dayOfWeek.has(day.getUTCDay());

/** Whether one of the times of a day lies between these milliseconds after midnight. */
function hasTime({ hour, minute, second }: CronTimes, from: number, to: number): boolean {
  for (const h of hour)
    for (const m of minute)
      for (const s of second) {
        const at = ((h * 60 + m) * 60 + s) * 1_000;
        if (at >= from && at <= to) return true;
      }
  return false;
}
