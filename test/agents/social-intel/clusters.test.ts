import { expect, test } from '@jest/globals';
import { clusterItems, mostClustered } from '../../../agents/social-intel/analysis/clusters.ts';
import { item } from './tool-harness.ts';

/** Titles, sorted by hand. A list with one title is no topic. */
const topics = [
  [
    'City opens its first tram line',
    'Tram line carries 9,000 people on first day',
    'Tram delayed again as signals fail',
    'New tram line: what a ticket costs',
    'Council approves tram line',
    'Why the tram is always late',
  ],
  [
    'Storm closes the old bridge',
    'Old bridge stays closed after storm',
    'Repair of the bridge will take a year',
    'Engineers inspect the storm damaged bridge',
    'Bridge repair costs 4 million',
  ],
  [
    'Rust 1.90 released',
    'What is new in Rust 1.90',
    'Rewriting our parser in Rust',
    'Rust compiler gets faster builds',
    'Why we moved from Go to Rust',
  ],
  [
    'Postgres 19 beta is out',
    'Tuning Postgres for a billion rows',
    'Postgres beta: async reads measured',
    'We lost a Postgres replica and what we learned',
    'Vacuum in Postgres explained',
  ],
  [
    'Union calls a strike at the harbour',
    'Harbour strike ends after three days',
    'Ships wait outside as harbour workers strike',
    'Wage deal ends strike',
  ],
  ['Bakery wins a prize'],
  ['Museum shows early maps'],
  ['A dog learns to skate'],
  ['Solar power at record price'],
];

test('the topics among titles that a person has sorted are found, and what is alone stays alone', async () => {
  // Not in their order.
  const items = topics.flatMap((titles) => titles.map((title) => item(title))).sort((a, b) => (a.id < b.id ? -1 : 1));
  const { clusters, alone } = await clusterItems(items, '');
  const found = clusters.map(({ items: own }) => own.map(({ title }) => title).sort());
  const sorted = topics.filter(({ length }) => length > 1).map((titles) => [...titles].sort());
  expect(found.sort()).toEqual(sorted.sort());
  expect(alone).toHaveLength(4);
  expect(clusters.map(({ label }) => label.split(', ')[0]).sort()).toEqual([
    'bridge',
    'postgres',
    'rust',
    'strike',
    'tram',
  ]);
});

test('what was searched for is no topic of its own', async () => {
  const items = ['Acme rocket', 'Acme gardens', 'Acme songs'].map((title) => item(title));
  expect((await clusterItems(items, 'acme')).clusters).toEqual([]);
  expect((await clusterItems(items, '')).clusters).toHaveLength(1);
});

test('nothing, one item, items without words, and more than can be compared', async () => {
  expect(await clusterItems([], '')).toEqual({ clusters: [], alone: [] });
  expect((await clusterItems([item('One')], '')).alone).toHaveLength(1);
  expect((await clusterItems([item('the'), item('and', { id: '2' })], '')).clusters).toEqual([]);
  const many = Array.from({ length: mostClustered + 5 }, (_, n) => item(`Same words`, { id: String(n) }));
  const { clusters, alone } = await clusterItems(many, '');
  expect([clusters[0]?.items.length, alone.length]).toEqual([mostClustered, 5]);
});

test('long texts find their topics, and other work of the process goes on between them', async () => {
  const words = (topic: string) => Array.from({ length: 250 }, (_, n) => `${topic}${n}`).join(' ');
  const items = Array.from({ length: 60 }, (_, n) => {
    const topic = n % 2 === 0 ? 'bread' : 'steel';
    return item(`About ${topic}`, { id: String(n), text: words(topic).slice(0, 2_000) });
  });
  let turns = 0;
  const count = () => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  const { clusters } = await clusterItems(items, '');
  clearImmediate(turning);
  expect(clusters.map(({ items: own }) => own.length)).toEqual([30, 30]);
  expect(turns).toBeGreaterThan(items.length);
});
