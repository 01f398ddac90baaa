import type { CronTimes } from './cron.ts';

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** One change of a zone's clocks. Offsets from UTC in milliseconds, east is positive. */
export type ClockChange = { at: number; before: number; after: number };

/**
 * Milliseconds by which a zone's clocks are ahead of UTC. Reading it from a text like "11/28/2026, GMT+01:00" takes a
 * tenth of the time of `formatToParts`.
 *
 * @param format of `zoneOffsets`
 */
function offsetAt(format: Intl.DateTimeFormat, at: number): number {
  const [, sign, hours, minutes, seconds] = /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?/.exec(format.format(at)) ?? [];
  if (sign === undefined) return 0;
  const ahead = Number(hours) * hourMs + Number(minutes) * minuteMs + Number(seconds ?? 0) * secondMs;
  return sign === '-' ? -ahead : ahead;
}

/** Milliseconds by which a zone's clocks are ahead of UTC at a time. */
export const offsetOf = (timeZone: string, at: number) => offsetAt(zoneOffsets(timeZone), at);

const zoneOffsets = (timeZone: string) => new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });

/** The changes of a zone's clocks in a span of time, to the minute. Two that cancel out within a week are missed. */
export function clockChanges(timeZone: string, from: number, to: number): ClockChange[] {
  const years = [];
  for (let year = yearOf(from); year <= yearOf(to); year++) years.push(year);
  return years.flatMap((year) => changesOfYear(timeZone, year)).filter(({ at }) => from < at && at <= to);
}

const yearOf = (at: number) => new Date(at).getUTCFullYear();

/** Lists of schedules ask for the same zones and years all the time, and finding changes takes long. */
const knownYears = new Map<string, ClockChange[]>();
const maxKnownYears = 2_000;

function changesOfYear(timeZone: string, year: number): ClockChange[] {
  const key = `${timeZone} ${year}`;
  const known = knownYears.get(key);
  if (known) return known;
  const changes = findChanges(timeZone, Date.UTC(year, 0), Date.UTC(year + 1, 0));
  if (knownYears.size === maxKnownYears) knownYears.clear();
  knownYears.set(key, changes);
  return changes;
}

function findChanges(timeZone: string, from: number, to: number): ClockChange[] {
  const format = zoneOffsets(timeZone);
  const changes: ClockChange[] = [];
  let [start, before] = [from, offsetAt(format, from)];
  while (start < to) {
    const end = Math.min(start + 7 * dayMs, to);
    const after = offsetAt(format, end);
    if (after !== before) changes.push({ at: firstWith(format, after, start, end), before, after });
    [start, before] = [end, after];
  }
  return changes;
}

/** The first minute, after `start`, at which the zone has this offset, which it has at `end`. */
function firstWith(format: Intl.DateTimeFormat, offset: number, start: number, end: number): number {
  let [low, high] = [Math.floor(start / minuteMs), Math.ceil(end / minuteMs)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(format, middle * minuteMs) === offset) high = middle;
    else low = middle;
  }
  return high * minuteMs;
}

/** A run: when it is, and what the zone's clocks show then, as if that were UTC. Both in milliseconds. */
export type ClockRun = { at: number; wall: number };

/** Runs that are listed at most. Enough for one each minute around a change. */
const maxRuns = 500;

/** The runs of a cron expression in a span of time in which the zone's clocks change at most once. */
export function runsAround(times: CronTimes, change: ClockChange, span: { from: number; to: number }): ClockRun[] {
  const offset = (at: number) => (at < change.at ? change.before : change.after);
  const runs: ClockRun[] = [];
  let at = nextRun(times, offset, span.from - secondMs, span.to);
  while (at <= span.to && runs.length < maxRuns) {
    runs.push({ at, wall: at + offset(at) });
    at = nextRun(times, offset, at, span.to);
  }
  return runs;
}

/**
 * When Temporal runs next. It goes from one clock time to the next and converts the one that fits. An hour that the
 * clocks skip does not fit; the minutes of an hour after which two hours pass until the next one are taken twice. In
 * zones east of Greenwich the second time is therefore not the repeated hour, but the hour before it.
 */
function nextRun(times: CronTimes, offset: (at: number) => number, after: number, limit: number): number {
  const lastSecond = Math.max(...times.second);
  const instantOf = (wall: number) => toInstant(wall, offset);
  const hourOf = (at: number) => startOf(hourMs, at + offset(at)) % dayMs;
  let wall = after + offset(after);
  let delay = hourOf(after - hourMs) === hourOf(after) ? hourMs : 0;
  /** Goes to the next hour, or a second time through this one. */
  const leaveHour = () => {
    const [hour, next] = [startOf(hourMs, wall), startOf(hourMs, wall) + hourMs];
    const isRepeated = delay === 0 && instantOf(next) - instantOf(hour) > hourMs;
    wall = isRepeated ? hour : next;
    delay = isRepeated ? hourMs : 0;
  };
  const step = (size: number) => {
    const next = startOf(size, wall) + size;
    if (startOf(hourMs, next) === startOf(hourMs, wall)) wall = next;
    else leaveHour();
  };
  const skipTo = (next: number) => {
    wall = next;
    delay = 0;
  };
  step(secondMs);
  while (instantOf(wall) <= limit + dayMs) {
    const date = new Date(wall);
    if (!fitsDay(times, date)) skipTo(startOf(dayMs, wall) + dayMs);
    else if (!times.hour.has(date.getUTCHours())) skipTo(startOf(hourMs, wall) + hourMs);
    else if (!times.minute.has(date.getUTCMinutes())) step(minuteMs);
    else if (!times.second.has(date.getUTCSeconds())) step(date.getUTCSeconds() > lastSecond ? minuteMs : secondMs);
    else {
      const at = instantOf(wall);
      if (hourOf(at) === startOf(hourMs, wall) % dayMs) return at + delay;
      wall = startOf(hourMs, wall) + hourMs;
    }
  }
  return Infinity;
}

/**
 * The instant of a clock time, as Go's `time.Date` chooses it: with the offset that holds at the instant of the same
 * name in UTC, or the one that holds where that leads to. Without an offset from UTC it does not try the second.
 */
function toInstant(wall: number, offset: (at: number) => number): number {
  const first = offset(wall);
  return first === 0 ? wall : wall - offset(wall - first);
}

const startOf = (size: number, time: number) => Math.floor(time / size) * size;

const fitsDay = ({ year, month, dayOfMonth, dayOfWeek }: CronTimes, date: Date) =>
  (year?.has(date.getUTCFullYear()) ?? true) &&
  month.has(date.getUTCMonth() + 1) &&
  dayOfMonth.has(date.getUTCDate()) &&
  dayOfWeek.has(date.getUTCDay());
