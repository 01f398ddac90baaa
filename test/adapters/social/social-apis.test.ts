import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { nextDayMs } from '../../../adapters/social/youtube-quota.ts';
import { googleError, json, startFakeSocial, type FakeSocial } from '../../support/fakes/fake-social.ts';
import { createWebSite } from '../../support/fakes/web-site.ts';
import { never, query, socialWith } from './social-harness.ts';

let fake: FakeSocial;
beforeAll(async () => {
  fake = await startFakeSocial();
});
afterAll(() => fake.close());
afterEach(() => {
  for (const list of [fake.stories, fake.posts, fake.videos, fake.requests]) list.length = 0;
  fake.setRedditLeft(100);
});

const withAll = (more: Record<string, string> = {}, deps: Parameters<typeof socialWith>[1] = {}) =>
  socialWith({ ...fake.settings, ...more }, deps);

test('Hacker News: stories and comments, with their numbers and a link to them', async () => {
  fake.stories.push(
    { id: '1', title: 'Alfred ships', at: '2026-11-10T08:30:00Z', author: 'pg', points: 99 },
    {
      id: '2',
      title: 'Alfred ships',
      text: '<p>I <i>like</i> it &amp; so on',
      at: '2026-11-11T00:00:00Z',
      isComment: true,
    },
    { id: '3', title: 'Alfred of old', at: '2026-10-10T00:00:00Z' },
  );
  const { items, notes } = await withAll().social.read('hackernews', query({ words: 'alfred' }), never);
  expect(items).toMatchObject([
    {
      id: '2',
      title: 'Comment on: Alfred ships',
      text: 'I like it & so on',
      url: 'https://news.ycombinator.com/item?id=2',
    },
    { id: '1', title: 'Alfred ships', author: 'pg', measures: { points: 99, comments: 0 } },
  ]);
  expect(notes).toEqual([]);
  const few = await withAll().social.read('hackernews', query({ words: 'alfred', limit: 1 }), never);
  expect(few.notes).toEqual(['Hacker News: only the newest 1 of 2 were read.']);
});

test.each([
  ['a form that is not known', { hits: [{ id: 7 }] }, /form that Alfred does not know: hits\.0\.objectID/],
  ['another form', { results: [] }, /form that Alfred does not know: hits/],
])('Hacker News in %s is said to be so, and is not kept', async (_, body, message) => {
  const { social } = withAll({ SOCIAL_CACHE_S: '60' });
  fake.fault('/api/v1/search_by_date', (_request, response) => json(response, 200, body));
  const ask = () => social.read('hackernews', query({ words: 'x' }), never);
  await expect(ask()).rejects.toMatchObject({ code: 'source_unreadable', message: expect.stringMatching(message) });
  expect((await ask()).items).toEqual([]);
});

test('faults of a server: an error, HTML, no answer, too much', async () => {
  const { social, counted } = withAll({}, { timeoutMs: 300, maxBytes: 50_000 });
  const ask = () => social.read('hackernews', query({ words: 'x' }), never);
  const path = '/api/v1/search_by_date';
  fake.fault(path, (_request, response) => json(response, 502, {}));
  await expect(ask()).rejects.toMatchObject({ code: 'source_unreachable' });
  fake.fault(path, (_request, response) => response.writeHead(200).end('<html>Login</html>'));
  await expect(ask()).rejects.toMatchObject({ code: 'source_unreadable' });
  fake.fault(path, () => {});
  await expect(ask()).rejects.toMatchObject({
    code: 'source_unreachable',
    message: expect.stringMatching(/within 0.3 s/),
  });
  fake.fault(path, (_request, response) => json(response, 200, { hits: [], padding: 'x'.repeat(60_000) }));
  await expect(ask()).rejects.toMatchObject({
    code: 'source_unreadable',
    message: expect.stringMatching(/larger than/),
  });
  fake.fault(path, (_request, response) => response.destroy());
  await expect(ask()).rejects.toMatchObject({ code: 'source_unreachable' });
  expect(await counted('hackernews')).toEqual({ failed: 3, unreadable: 2 });
});

test('a call that is cancelled ends with the reason of that, and counts as no fault', async () => {
  const { social, counted } = withAll();
  const cancelled = new AbortController();
  fake.fault('/api/v1/search_by_date', () => cancelled.abort(new Error('stopped')));
  await expect(social.read('hackernews', query({ words: 'x' }), cancelled.signal)).rejects.toThrow('stopped');
  expect(await counted('hackernews')).toEqual({});
});

test('Reddit: one token for many reads, another one when it is taken back', async () => {
  fake.posts.push(
    { id: 'a', title: 'Alfred?', text: 'Any *good*?', at: '2026-11-10T00:00:00Z', author: 'eve', subreddit: 'devops' },
    { id: 'b', title: 'Alfred!', at: '2026-11-11T00:00:00Z', subreddit: 'other' },
  );
  const { social } = withAll();
  const { items } = await social.read('reddit', query({ words: 'alfred', subreddit: 'devops' }), never);
  expect(items).toMatchObject([
    {
      id: 't3_a',
      author: 'u/eve',
      url: 'https://www.reddit.com/r/devops/comments/a/',
      measures: { points: 7, comments: 2 },
    },
  ]);
  expect((await social.read('reddit', query({ words: 'alfred' }), never)).items).toHaveLength(2);
  expect(fake.countOf('/api/v1/access_token')).toBe(1);
  fake.revokeTokens();
  expect((await social.read('reddit', query({ words: 'alfred' }), never)).items).toHaveLength(2);
  expect(fake.countOf('/api/v1/access_token')).toBe(2);
});

test('Reddit with wrong credentials is refused once, without them in message or log', async () => {
  const { social, logged } = withAll({ REDDIT_CLIENT_SECRET: 'wrong-secret' });
  const failed = await social.read('reddit', query({ words: 'alfred' }), never).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'source_refused', message: expect.stringMatching(/status 401/) });
  expect(`${String(failed)}${JSON.stringify(logged)}`).not.toContain('wrong-secret');
  expect(fake.requests).toHaveLength(1);
});

test('Reddit is not asked while it has no requests left, as its headers say', async () => {
  const { social, clock, counted } = withAll();
  fake.setRedditLeft(1);
  await social.read('reddit', query({ words: 'alfred' }), never);
  const asked = fake.requests.length;
  await expect(social.read('reddit', query({ words: 'alfred' }), never)).rejects.toMatchObject({
    code: 'source_refused',
    message: 'Reddit asks for a pause until 2026-11-20 12:05 UTC. Ask again after that.',
  });
  expect(fake.requests).toHaveLength(asked);
  fake.setRedditLeft(100);
  clock.now += 301_000;
  await social.read('reddit', query({ words: 'alfred' }), never);
  expect(await counted('reddit')).toMatchObject({ paused: 1 });
});

test('a 429 of Reddit with the time of its reset pauses until then', async () => {
  const { social, clock } = withAll();
  fake.fault('/search', (_request, response) => json(response, 429, {}, { 'x-ratelimit-reset': '20' }));
  const ask = () => social.read('reddit', query({ words: 'alfred' }), never);
  await expect(ask()).rejects.toMatchObject({ code: 'source_unreachable', retryAfterMs: 20_000 });
  clock.now += 21_000;
  expect((await ask()).items).toEqual([]);
});

const video = (id: string, more: object = {}) => ({
  id,
  title: `Sourdough ${id}`,
  channel: 'Baker',
  publishedAt: '2026-11-12T00:00:00Z',
  views: 1_000,
  ...more,
});

test('YouTube: videos with their counts, one search and one unit; the same question uses no more', async () => {
  fake.videos.push(
    video('v1', { duration: 'PT1H2M3S', tags: ['bread'] }),
    video('v2', { views: undefined, duration: 'P0D' }),
  );
  fake.setTotalVideos(4_200);
  const { social, metrics } = withAll();
  const ask = () =>
    social.findVideos({ words: 'sourdough', since: '2026-11-01T00:00:00Z', order: 'viewCount', limit: 10 }, never);
  expect(await ask()).toMatchObject({
    totalResults: 4_200,
    videos: [
      {
        id: 'v1',
        durationS: 3_723,
        views: 1_000,
        tags: ['bread'],
        url: 'https://www.youtube.com/watch?v=v1',
        channel: 'Baker',
      },
      { id: 'v2', durationS: null, views: null },
    ],
  });
  await ask();
  expect((await metrics.socialQuota.get()).values.map(({ labels, value }) => [labels.quota, value])).toEqual([
    ['searches', 1],
    ['units', 1],
  ]);
  expect(fake.requests.map(({ path }) => path).join(' ')).not.toContain('key');
  expect(await social.readCadence(['channel-Baker'], never)).toEqual([
    { channelId: 'channel-Baker', uploads: ['2026-11-12T00:00:00Z', '2026-11-12T00:00:00Z'] },
  ]);
  expect((await social.read('youtube', query({ words: 'sourdough' }), never)).items).toMatchObject([
    { source: 'youtube', measures: { views: 1_000, likes: 5, comments: 3 } },
    {},
  ]);
});

test('YouTube: the searches of a day are counted, and begin again at midnight in California', async () => {
  const { social, clock } = withAll({ YOUTUBE_SEARCHES_PER_DAY: '2' });
  const ask = (words: string) =>
    social.findVideos({ words, since: '2026-11-01T00:00:00Z', order: 'relevance', limit: 5 }, never);
  await ask('one');
  await ask('two');
  await expect(ask('three')).rejects.toMatchObject({
    code: 'source_refused',
    message: expect.stringMatching(/YOUTUBE_SEARCHES_PER_DAY is 2\). Ask again after 2026-11-21 08:00 UTC/),
  });
  expect(fake.countOf('/youtube/v3/search')).toBe(2);
  clock.now = Date.parse('2026-11-21T08:00:01Z');
  await ask('three');
  // The clocks there go forward on 14 March 2027 and back on 1 November 2026.
  expect(new Date(nextDayMs(Date.parse('2027-03-14T09:00:00Z'))).toISOString()).toBe('2027-03-15T07:00:00.000Z');
  expect(new Date(nextDayMs(Date.parse('2026-11-01T08:00:00Z'))).toISOString()).toBe('2026-11-02T08:00:00.000Z');
});

test('YouTube: quotaExceeded ends the searches of the day; a rate limit is a pause; a wrong key is refused', async () => {
  const { social, counted } = withAll();
  const ask = (words: string) =>
    social.findVideos({ words, since: '2026-11-01T00:00:00Z', order: 'relevance', limit: 5 }, never);
  fake.fault('/youtube/v3/search', (_request, response) => json(response, 403, googleError(403, 'quotaExceeded')));
  for (const words of ['one', 'two'])
    await expect(ask(words)).rejects.toMatchObject({
      code: 'source_refused',
      message: expect.stringMatching(/YouTube says so/),
    });
  expect(fake.countOf('/youtube/v3/search')).toBe(1);
  expect(await counted('youtube')).toEqual({ rate_limited: 1 });

  const busy = withAll();
  const askBusy = () =>
    busy.social.findVideos({ words: 'x', since: '2026-11-01T00:00:00Z', order: 'relevance', limit: 5 }, never);
  fake.fault('/youtube/v3/search', (_request, response) =>
    json(response, 429, googleError(429, 'rateLimitExceeded'), { 'retry-after': '15' }),
  );
  await expect(askBusy()).rejects.toMatchObject({ code: 'source_unreachable', retryAfterMs: 15_000 });
  busy.clock.now += 16_000;
  fake.fault('/youtube/v3/search', (_request, response) => json(response, 503, {}));
  await expect(askBusy()).rejects.toMatchObject({ code: 'source_unreachable' });
  fake.fault('/youtube/v3/search', (_request, response) => json(response, 200, { kind: 'other' }));
  await expect(askBusy()).rejects.toMatchObject({ code: 'source_unreadable' });

  const wrong = withAll({ YOUTUBE_API_KEY: 'not-the-key' });
  await expect(
    wrong.social.findVideos({ words: 'x', since: '2026-11-01T00:00:00Z', order: 'relevance', limit: 5 }, never),
  ).rejects.toMatchObject({
    code: 'source_refused',
    message: expect.stringMatching(/badRequest.*Check YOUTUBE_API_KEY/),
  });
});

test('YouTube: a search that could not be sent is given back', async () => {
  const gone = await createWebSite();
  await gone.close();
  const { social, metrics } = withAll({ YOUTUBE_SEARCHES_PER_DAY: '1', YOUTUBE_URL: gone.url });
  const ask = (words: string) =>
    social.findVideos({ words, since: '2026-11-01T00:00:00Z', order: 'relevance', limit: 5 }, never);
  for (const words of ['one', 'two']) await expect(ask(words)).rejects.toMatchObject({ code: 'source_unreachable' });
  expect((await metrics.socialQuota.get()).values).toEqual([]);
});

test('a source that is off says what turns it on, and which are on', async () => {
  const { social } = socialWith({ SOCIAL_SOURCES: 'feeds,reddit,youtube' });
  expect(social.states()).toEqual([
    { source: 'feeds', isOn: true },
    { source: 'hackernews', isOn: false, hint: 'SOCIAL_SOURCES turns it on: add hackernews.' },
    { source: 'reddit', isOn: false, hint: 'REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET turn it on.' },
    { source: 'youtube', isOn: false, hint: 'YOUTUBE_API_KEY turns it on.' },
  ]);
  await expect(social.read('reddit', query({ words: 'x' }), never)).rejects.toMatchObject({
    code: 'source_unconfigured',
    message: 'Reddit is off here. REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET turn it on. On: feeds.',
  });
  await expect(social.readCadence([], never)).rejects.toMatchObject({ code: 'source_unconfigured' });
});
