import { expect, test } from '@jest/globals';
import { socialIntel } from '../../../agents/social-intel/agent.ts';
import { cpmTable } from '../../../agents/social-intel/data/cpm.ts';
import { readRequest } from '../../../agents/social-intel/intents.ts';

test.each([
  ['Trends about solar panels in the last 14 days', 'analyse_trends', { topic: 'solar panels', days: 14 }],
  ['What are the trends in Rust?', 'analyse_trends', { topic: 'Rust' }],
  ['What is the sentiment about “Temporal”?', 'analyse_sentiment', { topic: 'Temporal' }],
  ['Anything new about Acme?', 'monitor_sources', { topic: 'Acme', name: 'Acme' }],
  [
    'Score the niches sourdough, knitting and chess at $6.50 CPM',
    'scout_niches',
    { niches: ['sourdough', 'knitting', 'chess'], cpmUsd: 6.5 },
  ],
  ['Draw a blueprint for home networks', 'draw_blueprint', { niche: 'home networks' }],
])('%s is read as a call', (text, name, input) => {
  expect(readRequest(text)).toEqual({ name, arguments: input });
});

test.each(['Hello', 'What do you think about trends?', 'Write a mail about the sentiment in the team, please?', ''])(
  '%j is not read as a call',
  (text) => {
    expect(readRequest(text)).toBeUndefined();
  },
);

test('a typed request becomes a call of its tool, with words for people', () => {
  expect(socialIntel.input.parse({ intent: 'YOUTUBE_NICHE_SCOUT', niches: ['chess'], cpmUsd: 4 })).toEqual({
    text: 'Score these niches of YouTube: chess',
    tool: { name: 'scout_niches', arguments: { niches: ['chess'], days: 30, cpmUsd: 4 } },
  });
  expect(socialIntel.input.safeParse({ intent: 'SOCIAL_MONITOR', topic: 'x' }).error?.issues[0]?.message).toMatch(
    /name/,
  );
  expect(socialIntel.input.safeParse({ intent: 'TRENDS' }).error?.issues[0]?.message).toContain('TREND_ANALYSIS');
});

test('each figure of the table is a range, and the table has a source and a day', () => {
  for (const { low, high } of Object.values(cpmTable.rows)) expect(low).toBeLessThan(high);
  expect(cpmTable.source).toMatch(/^https:/);
  expect(cpmTable.readOn).toMatch(/^\d{4}-\d{2}-\d{2}$/);
});
