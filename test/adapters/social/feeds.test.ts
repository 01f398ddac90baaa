import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWebSite, type WebSite } from '../../support/fakes/web-site.ts';
import { never, now, query, socialWith } from './social-harness.ts';

let site: WebSite;
beforeAll(async () => {
  site = await createWebSite();
});
afterAll(() => site.close());

const rss = (items: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>News</title>${items}</channel></rss>`;
const item = (title: string, at: string, more = '') =>
  `<item><title>${title}</title><link>https://news.example.com/${title}</link><guid>${title}</guid><pubDate>${at}</pubDate>${more}</item>`;
const november = (day: number) => new Date(Date.UTC(2026, 10, day, 9)).toUTCString();

const read = (path: string, more: Parameters<typeof socialWith> = [], asked = {}) =>
  socialWith(...more).social.read('feeds', query({ feed: `${site.url}${path}`, ...asked }), never);

test('an RSS feed becomes items with source, author, link, time and when it was read; markup and scripts are left out', async () => {
  site.set('/rss', {
    body: rss(
      item('Old', november(1).replace('01 Nov', '01 Oct')) +
        item(
          'Price &amp; plan',
          november(18),
          '<author>ada@example.com (Ada)</author><description><![CDATA[<p>Now <b>cheaper</b></p><script>alert(1)</script>]]></description>',
        ) +
        item('Launch', november(19)),
    ),
  });
  const { items, notes } = await read('/rss');
  expect(items.map(({ title }) => title)).toEqual(['Launch', 'Price & plan']);
  expect(items[1]).toEqual({
    source: 'feeds',
    id: `${site.host} Price & plan`,
    title: 'Price & plan',
    text: 'Now cheaper',
    url: 'https://news.example.com/Price%20&%20plan',
    author: 'Ada',
    publishedAt: '2026-11-18T09:00:00.000Z',
    readAt: new Date(now).toISOString(),
    measures: {},
  });
  expect(notes).toEqual([]);
});

test('Atom and JSON Feed are read too, and only words that are asked for', async () => {
  site.set('/atom', {
    body: '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry><id>urn:1</id><title>Rust on Mars</title><link rel="alternate" href="https://a.example.com/1"/><updated>2026-11-10T00:00:00Z</updated><author><name>Zoe</name></author><content type="html">&lt;p&gt;Dust&lt;/p&gt;</content></entry><entry><id>urn:2</id><title>Other</title><link href="javascript:alert(1)"/><updated>2026-11-11T00:00:00Z</updated></entry></feed>',
  });
  site.set('/json', {
    body: JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'J',
      items: [{ id: '1', url: 'https://j.example.com/1', content_text: 'Rust again', date_published: '2026-11-12' }],
    }),
    type: 'application/feed+json',
  });
  const { items } = await read('/atom', [], { words: 'rust MARS' });
  expect(items).toMatchObject([{ title: 'Rust on Mars', text: 'Dust', author: 'Zoe', url: 'https://a.example.com/1' }]);
  expect((await read('/atom')).items).toMatchObject([{ title: 'Other', url: null }, {}]);
  expect((await read('/json')).items).toMatchObject([{ text: 'Rust again', url: 'https://j.example.com/1' }]);
});

test('a feed that has not changed is not sent again', async () => {
  site.set('/same', { body: rss(item('One', november(3))) });
  const { social, clock, counted } = socialWith();
  const ask = () => social.read('feeds', query({ feed: `${site.url}/same` }), never);
  site.takePaths();
  const first = await ask();
  clock.now += 5_000;
  const second = await ask();
  expect(site.requests.map(({ isConditional, status }) => [isConditional, status])).toEqual([
    [false, 200],
    [true, 304],
  ]);
  expect(second.items[0]).toEqual({ ...first.items[0], readAt: new Date(now + 5_000).toISOString() });
  expect(await counted('feeds')).toEqual({ ok: 1, not_modified: 1 });
});

test('an answer that is fresh is taken without a request', async () => {
  site.set('/fresh', { body: rss(item('One', november(3))) });
  const { social, counted } = socialWith({ SOCIAL_CACHE_S: '60' });
  for (let times = 0; times < 3; times++) await social.read('feeds', query({ feed: `${site.url}/fresh` }), never);
  expect(await counted('feeds')).toEqual({ ok: 1, cached: 2 });
});

test.each([
  ['a page in place of a feed', '<!doctype html><title>Hello</title>', /web page and not with a feed/],
  ['a feed that ends in the middle', rss(item('One', november(3))).slice(0, 120), /broken, or ends in the middle/],
  ['nothing', '', /answered with nothing/],
  ['something else', 'Hello there', /no feed/],
  ['XML of another kind', '<?xml version="1.0"?><orders><order/></orders>', /broken/],
])('%s is refused with what came', async (_, body, message) => {
  site.set('/odd?token=secret', { body });
  const { social, counted, logged } = socialWith();
  const address = `${site.url}/odd?token=secret`;
  await expect(social.read('feeds', query({ feed: address }), never)).rejects.toMatchObject({
    code: 'source_unreadable',
    message: expect.stringMatching(message),
  });
  expect(await counted('feeds')).toMatchObject({ unreadable: 1 });
  expect(JSON.stringify(logged)).not.toContain('secret');
});

test('entities of the document itself are not expanded', async () => {
  const body = `<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>${rss(item('&b;', november(3))).slice(38)}`;
  site.set('/entities', { body });
  const { items } = await read('/entities').catch(() => ({ items: [] }));
  expect(JSON.stringify(items)).not.toContain('haha');
});

test('letters in another encoding than the feed names are guessed, and that is said', async () => {
  const text = rss(item('Café', november(3), '<description>Déjà vu à la crème brûlée, garçon</description>'));
  site.set('/latin', { body: Buffer.from(text, 'latin1') });
  const { items, notes } = await read('/latin');
  expect(items[0]?.title).toBe('Café');
  expect(notes).toContainEqual(expect.stringMatching(/letters were guessed/));
  site.set('/named', { body: Buffer.from(text.replace('UTF-8', 'ISO-8859-1'), 'latin1') });
  expect(await read('/named')).toMatchObject({
    items: [{ title: 'Café' }],
    isPartial: true,
    reachesBackTo: '2026-11-03T09:00:00.000Z',
    notes: [],
  });
});

test('a feed that moved is followed, a circle is not', async () => {
  site.set('/there', { body: rss(item('Moved', november(3))) });
  site.set('/here', { status: 301, headers: { location: '/there' } });
  site.set('/circle', { status: 302, headers: { location: '/circle' } });
  expect((await read('/here')).items).toMatchObject([{ title: 'Moved' }]);
  await expect(read('/circle')).rejects.toMatchObject({ code: 'source_refused' });
});

test('an answer that is too large or too slow ends, and a broken one is not taken for a feed', async () => {
  site.set('/large', { body: rss(item('x'.repeat(20_000), november(3))) });
  site.set('/slow', () => {});
  site.set('/broken', (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/xml', 'content-length': '10000' });
    response.write(rss('').slice(0, 60), () => response.destroy());
  });
  const limits = { maxBytes: 10_000, timeoutMs: 200 };
  await expect(read('/large', [{}, limits])).rejects.toMatchObject({ code: 'source_unreadable' });
  await expect(read('/slow', [{}, limits])).rejects.toMatchObject({ code: 'source_unreachable' });
  await expect(read('/broken')).rejects.toMatchObject({ code: 'source_unreachable' });
});

test('a server that fails is unreachable; one that asks for a pause is not asked before its end', async () => {
  site.set('/fails', { status: 500 });
  await expect(read('/fails')).rejects.toMatchObject({ code: 'source_unreachable' });
  const { social, clock, counted } = socialWith();
  const ask = () => social.read('feeds', query({ feed: `${site.url}/busy` }), never);
  site.set('/busy', { status: 429, headers: { 'retry-after': '40' } });
  await expect(ask()).rejects.toMatchObject({ code: 'source_unreachable', retryAfterMs: 40_000 });
  site.set('/busy', { body: rss(item('Here', november(3))) });
  clock.now += 30_000;
  await expect(ask()).rejects.toMatchObject({ code: 'source_unreachable', retryAfterMs: 10_000 });
  clock.now += 11_000;
  expect((await ask()).items).toHaveLength(1);
  expect(await counted('feeds')).toEqual({ rate_limited: 1, paused: 1, ok: 1 });
});

test('an address in a private network is not called', async () => {
  await expect(read('/rss', [{ ALFRED_OUTBOUND_ALLOW: '' }])).rejects.toMatchObject({ code: 'destination_forbidden' });
  await expect(socialWith().social.read('feeds', query({ feed: 'file:///etc/passwd' }), never)).rejects.toMatchObject({
    code: 'destination_forbidden',
  });
});

test('markup that is nested deeply or never closed is read as any other', async () => {
  const open = Array.from({ length: 400 }, (_, n) => `<b a${n}>`).join('');
  const description = (html: string) => `<description><![CDATA[${html}]]></description>`;
  site.set('/hostile', {
    body: rss(
      item('Deep', november(3), description(`${'<div>'.repeat(8_000)}deep`)) +
        item('Open', november(2), description(`<p>${open}${'<p>x'.repeat(1_500)}`)),
    ),
  });
  const { items } = await read('/hostile');
  expect(items).toMatchObject([{ text: 'deep' }, { text: expect.stringMatching(/^x x x/) }]);
});

test('a pause is that of the host that wants it, and not of one that only sends readers there', async () => {
  const busy = await createWebSite();
  try {
    busy.set('/busy', { status: 429, headers: { 'retry-after': '40' } });
    site.set('/moved', { status: 301, headers: { location: `${busy.url}/busy` } });
    site.set('/own', { body: rss(item('Own', november(3))) });
    const { social } = socialWith();
    const ask = (path: string) => social.read('feeds', query({ feed: `${site.url}${path}` }), never);
    await expect(ask('/moved')).rejects.toMatchObject({ code: 'source_unreachable', retryAfterMs: 40_000 });
    expect((await ask('/own')).items).toHaveLength(1);
    await expect(ask('/moved')).rejects.toMatchObject({ code: 'source_unreachable', retryAfterMs: 40_000 });
    expect(busy.requests).toHaveLength(1);
  } finally {
    await busy.close();
  }
});

test.each([
  ['30', '2026-11-20 12:00'],
  ['90', '2026-11-20 12:01'],
  ['400000', '2026-11-20 13:00'],
  [String(now / 1_000 + 600), '2026-11-20 12:10'],
  [String(now / 1_000 - 600), '2026-11-20 12:00'],
  ['1e15', '2026-11-20 13:00'],
  ['-5', '2026-11-20 12:00'],
  ['soon', '2026-11-20 12:00'],
])('a host whose requests are reset at %s is paused until %s and no longer than an hour', async (reset, until) => {
  site.set('/reset', { status: 429, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } });
  const asked = socialWith().social.read('feeds', query({ feed: `${site.url}/reset` }), never);
  await expect(asked).rejects.toMatchObject({ message: expect.stringContaining(`until ${until} UTC`) });
});
