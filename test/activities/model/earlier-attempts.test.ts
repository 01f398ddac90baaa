import { expect, test } from '@jest/globals';
import { createLeaseJudge } from '../../../activities/model/earlier-attempts.ts';
import type { CallLeases } from '../../../contract/ports/index.ts';

type State = Awaited<ReturnType<CallLeases['stateOf']>>;

/** What is judged at the end of these states, each of which is seen every 250 ms for so many milliseconds. */
function judged(...states: [State, number][]) {
  const judge = createLeaseJudge();
  let nowMs = 0;
  let verdict: ReturnType<typeof judge> = 'runs';
  for (const [state, forMs] of states)
    for (const endMs = nowMs + forMs; nowMs < endMs; nowMs += 250) verdict = judge(state, nowMs);
  return verdict;
}

test.each<[string, [State, number][], string]>([
  ['an attempt with a lease runs, however long', [['leased', 3_600_000]], 'runs'],
  ['an attempt without a lease is gone after a second', [['free', 1_250]], 'gone'],
  [
    'a process that takes its lease again within a second is alive',
    [
      ['free', 1_000],
      ['leased', 250],
    ],
    'runs',
  ],
  ['after a restart of Postgres it is judged late', [['unsettled', 3_000]], 'runs'],
  [
    '… but the time counts',
    [
      ['unsettled', 3_000],
      ['free', 250],
    ],
    'gone',
  ],
  [
    'a lease in between starts the second again',
    [
      ['free', 1_000],
      ['leased', 250],
      ['free', 1_000],
    ],
    'runs',
  ],
  [
    'a database that is away proves nothing',
    [
      ['free', 750],
      ['unknown', 30_000],
      ['free', 500],
    ],
    'runs',
  ],
  ['leases that cannot be read are not waited for without end', [['unknown', 61_000]], 'unknowable'],
])('%s', (_, states, expected) => {
  expect(judged(...states)).toBe(expected);
});
