/**
 * Takes away what differs from run to run: the clock, the time zone, and random numbers. Evaluated inside the sandbox
 * by its source: it uses nothing outside of itself.
 */
export function fixClock() {
  const noClock = 'There is no clock here. Pass the date in inputs: new Date(inputs.today)';
  const RealDate = Date;
  const utcOf = (...parts: unknown[]) => RealDate.UTC(...(parts as [number, number]));
  const FixedDate = function (...parts: unknown[]) {
    if (parts.length === 0) throw new TypeError(noClock);
    if (parts.length > 1) return new RealDate(utcOf(...parts));
    const [given] = parts;
    const isLocal = typeof given === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(given);
    return new RealDate((isLocal ? `${given}Z` : given) as string);
  } as unknown as DateConstructor;

  // Local time is UTC.
  const methods = RealDate.prototype as unknown as Record<string, unknown>;
  for (const part of ['Day', 'Date', 'Month', 'FullYear', 'Hours', 'Minutes', 'Seconds', 'Milliseconds'])
    for (const verb of ['get', 'set'])
      if (methods[`${verb}UTC${part}`]) methods[`${verb}${part}`] = methods[`${verb}UTC${part}`];
  methods['getTimezoneOffset'] = () => 0;
  const forms: [string, number, number][] = [
    ['', 0, 24],
    ['Date', 0, 10],
    ['Time', 11, 19],
  ];
  for (const [form, from, to] of forms)
    for (const name of [`to${form}String`, `toLocale${form}String`])
      methods[name] = function (this: Date) {
        return this.toISOString().slice(from, to);
      };
  methods['constructor'] = FixedDate;
  Object.defineProperty(FixedDate, 'prototype', { value: RealDate.prototype });
  Object.assign(FixedDate, {
    UTC: utcOf,
    parse: (text: string) => new FixedDate(text).getTime(),
    now: () => {
      throw new TypeError(noClock);
    },
  });
  globalThis.Date = FixedDate;

  // The same numbers in every run (mulberry32).
  let seed = 0x9e3779b9;
  Math.random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
