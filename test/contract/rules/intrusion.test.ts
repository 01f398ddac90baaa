import { expect, test } from '@jest/globals';
import { intrusionSamples } from '../../../contract/rules/intrusion/samples.ts';
import {
  findSignals,
  intrusionRules,
  newSignals,
  signalKey,
  subjectKey,
  windowMs,
  type KnownBefore,
  type ObservedEntry,
} from '../../../contract/rules/intrusion/signals.ts';

test.each(intrusionRules)('%s fires on its pattern, and no other rule does', (rule) => {
  const { entries, known } = intrusionSamples[rule];
  expect(findSignals(entries, known).map((one) => one.rule)).toEqual([rule]);
});

test('a signal is given once, also when the pattern goes on', () => {
  const { entries, known } = intrusionSamples.failed_sign_ins;
  const [first] = findSignals(entries, known);
  const again = findSignals([...entries, ...entries], known);
  expect(newSignals(again, new Set([signalKey(first as never)]))).toEqual([]);
  expect(newSignals([...again, ...again], new Set())).toHaveLength(1);
});

test.each([
  ['refusals', 'rate_limited'],
  ['failed_sign_ins', 'session_ended'],
] as const)('%s: a program that is only too fast, or was forgotten, is none (%s)', (rule, code) => {
  const { entries, known } = intrusionSamples[rule];
  expect(
    findSignals(
      entries.map((entry) => ({ ...entry, code })),
      known,
    ),
  ).toEqual([]);
});

test('wrong credentials from many networks are found together', () => {
  const entries = Array.from({ length: 120 }, (_, n): ObservedEntry => {
    const [sample] = intrusionSamples.failed_sign_ins.entries;
    return { ...(sample as ObservedEntry), address: `198.51.${n % 60}.7` };
  });
  expect(findSignals(entries, intrusionSamples.refusals.known)).toMatchObject([
    { rule: 'failed_sign_ins', count: 120 },
  ]);
});

/** Numbers that are the same in each run. */
function createRandom(seed: number) {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/**
 * A day of 50 people and two services: people come between seven and ten, work for nine hours, change networks at
 * lunch, let tokens expire, mistype an id now and then, and read up to 40 documents an hour.
 */
function generateDay(seed: number): ObservedEntry[] {
  const random = createRandom(seed);
  const hour = 3_600_000;
  const entries: ObservedEntry[] = [];
  for (let person = 0; person < 50; person++) {
    const begins = (7 + 3 * random()) * hour;
    const client = ['Firefox on Linux', 'Chrome on Windows', 'node'][person % 3] as string;
    for (let atMs = begins; atMs < begins + 9 * hour; atMs += random() * 4 * 60_000) {
      const isAway = atMs > begins + 5 * hour && person % 7 === 0;
      const common = { atMs, tenant: 'acme', subject: `p${person}`, kind: 'person', count: 1, country: null, client };
      const from = { ...common, address: isAway ? `100.64.${person}.3` : '198.51.100.7' };
      const kind = random();
      const id = `d${Math.floor(random() * 500)}`;
      const refused = { ...from, outcome: 'refused', resourceId: null };
      if (kind < 0.02)
        entries.push({ ...refused, subject: '', kind: null, action: 'sign_in', code: 'token_expired', count: 4 });
      else if (kind < 0.022)
        entries.push({ ...refused, subject: '', kind: null, action: 'sign_in', code: 'token_invalid' });
      else if (kind < 0.05) entries.push({ ...refused, action: 'getTask', code: 'not_found' });
      else if (kind < 0.1) entries.push({ ...from, action: 'sign_in', outcome: 'ok', code: null, resourceId: null });
      else if (kind < 0.5)
        entries.push({
          ...from,
          action: 'document.read',
          outcome: 'ok',
          code: null,
          resourceId: id,
          count: 1 + Math.floor(random() * 3),
        });
      else entries.push({ ...from, action: 'task.start', outcome: 'ok', code: null, resourceId: id });
    }
  }
  return entries.toSorted((a, b) => a.atMs - b.atMs);
}

test('a normal day of fifty people gives no signal', () => {
  const [yesterday, today] = [generateDay(1), generateDay(2)];
  const origins = new Map(
    Array.from({ length: 50 }, (_, n) => [
      subjectKey({ tenant: 'acme', subject: `p${n}` }),
      {
        places: new Set(['198.51.100.0/24']),
        clients: new Set(yesterday.flatMap((one) => (one.subject === `p${n}` ? (one.client ?? []) : []))),
      },
    ]),
  );
  const perHour = (day: ObservedEntry[], hour: number) =>
    day.filter(({ atMs }) => Math.floor(atMs / 3_600_000) === hour).length;
  const signals = [];
  for (let now = windowMs; now < 24 * 3_600_000; now += windowMs / 2) {
    const hour = Math.floor(now / 3_600_000) - 1;
    const before = [perHour(yesterday, hour), perHour(generateDay(3), hour)];
    const known: KnownBefore = {
      origins,
      canaries: new Set(['d-canary']),
      volumes: new Map([['acme', { now: perHour(today, hour), before }]]),
    };
    const inWindow = today.filter(({ atMs }) => atMs > now - windowMs && atMs <= now);
    signals.push(...findSignals(inWindow, known));
  }
  expect(today.length).toBeGreaterThan(5_000);
  expect(signals).toEqual([]);
});
