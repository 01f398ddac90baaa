import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { scoreNiche } from '../../../agents/social-intel/analysis/niche-score.ts';
import { durationS } from '../../../adapters/social/to-video.ts';
import { now, toolsWith, video } from './tool-harness.ts';

const bread = [
  video('Sourdough in 7 steps', { views: 10_000 }),
  video('My oven', { views: 30_000 }),
  video('Flour', { views: 20_000 }),
  video('Hidden', { views: null }),
];

test('a niche is scored, and each input is shown with its source and how it was worked out', async () => {
  const { run } = toolsWith({ videos: bread, totalVideos: 600 });
  const { answer, data } = await run('scout_niches', { niches: ['sourdough'], days: 30, cpmUsd: 8 });
  // The median of 1,000, 2,000 and 3,000 views a day; 20 videos a day: 2 × 8 ÷ 20.
  expect(data).toMatchObject({
    niches: [
      { niche: 'sourdough', score: 0.8, demand: { value: 2 }, supply: { value: 20 }, monetisation: { value: 8 } },
    ],
  });
  expect(answer).toContain('**sourdough**: score 0.8');
  expect(answer).toContain('Demand: 2 (thousand views a day of the median of 3 videos');
  expect(answer).toContain(
    'Supply: 20 (videos published a day: 600 in 30 days; YouTube Data API, read 2026-11-20 12:00 UTC',
  );
  expect(answer).toContain('Monetisation: 8 (US dollars a thousand views; given with the request)');
  expect(answer).toContain('demand × monetisation ÷ max(supply, 0.01)');
  expect(answer).toContain('[My oven](https://www.youtube.com/watch?v=My%20oven) (Baker, 30000 views)');
});

test('a figure of the table is named with its range, source and day', async () => {
  const { run } = toolsWith({ videos: bread, totalVideos: 600 });
  const { answer } = await run('scout_niches', { niches: ['sourdough'], category: 'education' });
  expect(answer).toContain('score 1.4, 0.8 to 2 over the range of the table');
  expect(answer).toMatch(/the middle of 8 to 20 for education; https:\/\/incomefromviews\.com\S+ .*read on 2026-11-29/);
});

test('without an input there is no score, and what is missing is said', async () => {
  const none = await toolsWith({ videos: [], totalVideos: 0 }).run('scout_niches', { niches: ['x'] });
  expect(none.data).toMatchObject({
    niches: [{ score: null, missing: [/demand/, /monetisation/].map((what) => expect.stringMatching(what)) }],
  });
  expect(none.answer).toContain('**x**: no score');
  const given = await toolsWith().run('scout_niches', {
    niches: ['x'],
    cpmUsd: 5,
    videos: [{ title: 'a', publishedAt: '2026-11-19', views: 10 }],
  });
  expect(given.data).toMatchObject({ niches: [{ score: null, missing: [expect.stringMatching(/totalVideos/)] }] });
});

test('videos that are given are scored as of the day on which they were counted', async () => {
  const { data, answer } = await toolsWith().run('scout_niches', {
    niches: ['x'],
    cpmUsd: 10,
    days: 10,
    until: '2026-10-11',
    totalVideos: 0,
    videos: [
      { title: 'a', publishedAt: '2026-10-01', views: 10_000 },
      { title: 'old', publishedAt: '2026-01-01', views: 9 },
      { title: 'later', publishedAt: '2026-10-12', views: 9 },
    ],
  });
  // No supply counts as 0.01: 1 × 10 ÷ 0.01.
  expect(data).toMatchObject({ niches: [{ score: 1_000, demand: { value: 1 }, supply: { value: 0 } }] });
  expect(answer).toContain('2 given videos are not of these 10 days');
});

test.each([
  [{ niches: ['a', 'b'], videos: [{ title: 'a', publishedAt: '2026-10-01' }] }, /those of one niche/],
  [{ niches: ['a'], totalVideos: 7 }, /go with `videos`/],
  [{ niches: ['a'], category: 'poetry' }, /category/],
  [{ niches: ['a'], region: 'usa' }, /two capital letters/],
])('a request that does not fit is refused: %j', async (input, message) => {
  await expect(toolsWith().run('scout_niches', input)).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(message),
  });
});

test('the score grows with demand and money, falls with supply, and is always a number', () => {
  const scoreOf = (views: number, totalVideos: number, cpmUsd: number) =>
    scoreNiche(
      { niche: 'x', videos: [video('a', { views })], totalVideos, days: 30, source: 's', atMs: now },
      { cpmUsd },
    ).score ?? Number.NaN;
  const views = fc.integer({ min: 0, max: 10 ** 9 });
  const total = fc.integer({ min: 0, max: 10 ** 6 });
  const cpm = fc.double({ min: 0.01, max: 1_000, noNaN: true });
  fc.assert(
    fc.property(views, total, cpm, (v, t, c) => {
      const score = scoreOf(v, t, c);
      expect(Number.isFinite(score) && score >= 0).toBe(true);
      expect(scoreOf(v + 1_000, t, c)).toBeGreaterThanOrEqual(score);
      expect(scoreOf(v, t + 1_000, c)).toBeLessThanOrEqual(score);
      expect(scoreOf(v, t, c + 1)).toBeGreaterThanOrEqual(score);
    }),
  );
});

test('a blueprint compares the best videos with the others, with links and how often their channels publish', async () => {
  const best = [1, 2, 3].map((n) =>
    video(`How to bake bread: ${n} secrets`, {
      views: 900_000 - n,
      durationS: 900,
      tags: ['Bread', 'howto'],
      publishedAt: '2026-11-13T10:00:00.000Z',
    }),
  );
  const others = [1, 2, 3, 4, 5, 6].map((n) =>
    video(`Morning talk ${'x'.repeat(n)}`, {
      views: 100,
      durationS: 300,
      channelId: 'c2',
      channel: 'Talker',
      publishedAt: '2026-11-11T10:00:00.000Z',
    }),
  );
  const { run } = toolsWith({ videos: [...others, ...best, video('Hidden', { views: null })] });
  const { answer, data } = await run('draw_blueprint', { niche: 'bread' });
  expect(data).toMatchObject({
    lengthS: { best: { median: 900 }, others: { median: 300 } },
    others: 6,
    left: 1,
    titleWords: expect.arrayContaining([{ what: 'secrets', best: 1, others: 0 }]),
    tags: [
      { what: 'bread', best: 1, others: 0 },
      { what: 'howto', best: 1, others: 0 },
    ],
    weekdays: [{ what: 'Friday', best: 1, others: 0 }],
  });
  // The word of the niche itself says nothing.
  expect(JSON.stringify(data.titleWords)).not.toContain('bread');
  expect(answer).toContain('- how to: 100 %; 0 %');
  expect(answer).toContain('- Length: 15:00 minutes in the median');
  expect(answer).toContain('- Baker: every 7 days in the median, of 3 uploads');
  expect(answer).toMatch(/\[How to bake bread: 1 secrets\]\(https:\/\/www\.youtube\.com/);
});

test('too few videos are compared with nothing', async () => {
  const { answer } = await toolsWith({ videos: bread }).run('draw_blueprint', { niche: 'bread' });
  expect(answer).toContain('4 videos of the last 90 days were found, and at least 8');
});

test.each([
  ['PT15S', 15],
  ['PT1H', 3_600],
  ['P1DT1M', 86_460],
  ['P0D', null],
  ['10 minutes', null],
])('the length %s is %s seconds', (text, seconds) => {
  expect(durationS(text)).toBe(seconds);
});
