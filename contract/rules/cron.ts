/** The values of each field that a time must have. `dayOfWeek` counts from 0, Sunday. No `year` is every year. */
export type CronTimes = {
  second: ReadonlySet<number>;
  minute: ReadonlySet<number>;
  hour: ReadonlySet<number>;
  dayOfMonth: ReadonlySet<number>;
  month: ReadonlySet<number>;
  dayOfWeek: ReadonlySet<number>;
  year?: ReadonlySet<number>;
};

/** `interval`: an `@every`, which no clock decides. `fault`: why it is refused, and what to write. */
export type Cron = { times: CronTimes; written: readonly string[] } | { interval: true } | { fault: string };

/** `names` may be shortened to this many letters. */
type Field = { name: string; min: number; max: number; names?: readonly string[]; shortest?: number };

const months = 'january february march april may june july august september october november december'.split(' ');
const weekdays = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const second: Field = { name: 'second', min: 0, max: 59 };
const usual: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: months, shortest: 3 },
  { name: 'day of week', min: 0, max: 7, names: weekdays, shortest: 2 },
];
const year: Field = { name: 'year', min: 2000, max: 2100 };

const named: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const duration = String.raw`(\d+(\.\d+)?(d|h|m|s))+`;
const everyForm = new RegExp(String.raw`^@every\s${duration}(/${duration})?$`);

/** The most days that each month has, from January. */
const monthLengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A fault of a field, in words for the person. */
class CronFault extends Error {}

/**
 * Reads a cron expression as Temporal does. It refuses what Temporal refuses, and what Temporal takes for something
 * else than most cron programs: `#` as the beginning of a comment, a sixth field as the year.
 */
export function readCron(text: string): Cron {
  const trimmed = text.trim();
  if (everyForm.test(trimmed)) return { interval: true };
  try {
    refuseOtherDialects(trimmed);
    const written = (named[trimmed] ?? trimmed).split(/\s+/);
    const times = readFields(written);
    refuseImpossibleDay(times);
    // The usual five fields: without seconds and year.
    return { times, written: written.length === 7 ? written.slice(1, 6) : written.slice(0, 5) };
  } catch (error) {
    if (error instanceof CronFault) return { fault: error.message };
    throw error;
  }
}

function refuseOtherDialects(text: string): void {
  if (text.includes('#'))
    throw new CronFault(
      '"#" would begin a comment, and what follows it would not be read. For the second Monday of a month write "0 8 8-14 * MON", and leave comments out',
    );
  if (/^(CRON_)?TZ=/i.test(text)) throw new CronFault('takes no time zone: name it in timeZone');
  if (text.startsWith('@') && !Object.hasOwn(named, text))
    throw new CronFault(
      `"${text}" is not known: expected ${Object.keys(named).join(', ')}, or @every with 90s, 5m or 1h`,
    );
}

function readFields(written: readonly string[]): CronTimes {
  const fields = { 5: usual, 6: [...usual, year], 7: [second, ...usual, year] }[written.length];
  if (!fields)
    throw new CronFault(
      `has ${written.length} fields: expected five (minute, hour, day of month, month, day of week), like "0 8 * * MON-FRI"; six with a year at the end; or seven with the second at the beginning too`,
    );
  if (written.length === 6 && !/\d{4}/.test(written[5] ?? ''))
    throw new CronFault(
      `has six fields, of which Temporal reads the last as the year ("${written[5]}"): leave out the seconds, or write seven fields with seconds first and the year, or *, last`,
    );
  const sets = new Map(fields.map((field, index) => [field.name, readField(field, written[index] ?? '')]));
  const setOf = (name: string) => sets.get(name) ?? new Set([0]);
  const years = sets.get('year');
  return {
    second: setOf('second'),
    minute: setOf('minute'),
    hour: setOf('hour'),
    dayOfMonth: setOf('day of month'),
    month: setOf('month'),
    dayOfWeek: new Set([...setOf('day of week')].map((day) => day % 7)),
    ...(years && written.at(-1) !== '*' ? { year: years } : {}),
  };
}

/** `1,5-10/2` */
function readField(field: Field, text: string): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) for (const value of readPart(field, part)) values.add(value);
  return values;
}

/** `*`, `5`, `MON`, `1-5`; each may have a step, like `1-5/2`. A single value with a step lasts to the field's end. */
function readPart(field: Field, part: string): number[] {
  const [range = '', stepText, ...more] = part.split('/');
  const expected = `expected *, a value, a range like ${field.min + 1}-${field.min + 4}, or several behind commas, each with a step like */2`;
  if (more.length > 0) throw new CronFault(`${field.name} "${part}" has more than one step: ${expected}`);
  if (stepText !== undefined && !/^0*[1-9]\d{0,3}$/.test(stepText))
    throw new CronFault(`${field.name} "${part}" has a step that is no number from 1 on: ${expected}`);
  const [start, end] = readRange(field, range, stepText !== undefined, expected);
  const step = Number(stepText ?? 1);
  const count = end - start + 1;
  // */60 is every hour, as it says. Days of a month do not divide like that.
  const isWholeRound =
    range === '*' && step === (field.name === 'day of week' ? 7 : count) && field.name !== 'day of month';
  if (stepText !== undefined && step >= count && step > 1 && !isWholeRound)
    throw new CronFault(
      `${field.name} "${part}" has a step that leaves only ${start}. For an interval like every 90 minutes, use everyS with 5400 in place of cron`,
    );
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => start + index * step);
}

function readRange(field: Field, range: string, hasStep: boolean, expected: string): [number, number] {
  if (range === '*') return [field.min, field.name === 'day of week' ? 6 : field.max];
  const [first = '', last, ...more] = range.split('-');
  if (more.length > 0) throw new CronFault(`${field.name} "${range}" has more than one dash: ${expected}`);
  const start = readValue(field, first, expected);
  if (last !== undefined) {
    const end = readValue(field, last, expected);
    if (end < start)
      throw new CronFault(`${field.name} "${range}" ends before it begins: write ${twoRanges(field, start, end)}`);
    return [start, end];
  }
  if (!hasStep) return [start, start];
  // Temporal's range would last to 7, which is Sunday again.
  if (field.name === 'day of week')
    throw new CronFault(`day of week "${range}" has a step and no end: name the days, like MON,WED,FRI`);
  return [start, field.max];
}

/** A range over the end of a field as two that Temporal takes: FRI-MON is 5-7,1. */
function twoRanges({ name, min, max }: Field, start: number, end: number): string {
  const rangeText = (from: number, to: number) => (from === to ? `${from}` : `${from}-${to}`);
  if (name !== 'day of week') return `${rangeText(start, max)},${rangeText(min, end)}`;
  return end === 0 ? rangeText(start, 7) : `${rangeText(start, 7)},${rangeText(1, end)}`;
}

function readValue({ name, min, max, names, shortest = 0 }: Field, text: string, expected: string): number {
  const lower = text.toLowerCase();
  const index = lower.length >= shortest ? (names?.findIndex((known) => known.startsWith(lower)) ?? -1) : -1;
  if (index >= 0 && text !== '') return index + min;
  if (text === '?') throw new CronFault(`${name} "?" is not known: write *`);
  if (/^(L|LW|\d*L|\d+W|L-\d+)$/i.test(text))
    throw new CronFault(
      `${name} "${text}" is not known: there is no last day (L) and no nearest weekday (W). ${expected}`,
    );
  if (!/^\d{1,4}$/.test(text)) throw new CronFault(`${name} "${text}" is not understood: ${expected}`);
  const value = Number(text);
  if (value < min || value > max) throw new CronFault(`${name} ${text} is not in the range ${min}-${max}`);
  return value;
}

/** `0 8 31 2 *` */
function refuseImpossibleDay({ dayOfMonth, month }: CronTimes): void {
  const first = Math.min(...dayOfMonth);
  if ([...month].some((each) => first <= (monthLengths[each - 1] ?? 0))) return;
  throw new CronFault(`names a day that never comes: there is no day ${first} in month ${[...month].join(', ')}`);
}
