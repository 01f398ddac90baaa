import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createOutbound } from '../../../adapters/outbound/outbound.ts';
import { createPace } from '../../../knowledge/sources/web/pace.ts';
import { readSitemap } from '../../../knowledge/sources/web/sitemap.ts';
import { createWebSource } from '../../../knowledge/sources/web/web-source.ts';
import { createWebSite, sitemapOf, type WebSite } from '../../support/fakes/web-site.ts';

const signal = new AbortController().signal;
const maxBytes = 100_000;
const none = { etag: null, lastModified: null };
let site: WebSite;
let other: WebSite;
beforeAll(async () => void ([site, other] = await Promise.all([createWebSite(), createWebSite()])));
afterAll(() => Promise.all([site.close(), other.close()]));

const source = () =>
  createWebSource({ outbound: createOutbound({ allow: ['127.0.0.1'], maxBytes, timeoutMs: 5_000 }), maxBytes });
const read = (path: string, from = source()) =>
  from.read(
    { kind: 'web', address: site.url, options: {} },
    { name: path, address: site.url + path, validators: none },
    signal,
  );
const list = (path: string, options = {}) => source().list({ kind: 'web', address: site.url + path, options }, signal);

describe('a sitemap', () => {
  const sitemap = (xml: string | Uint8Array) => readSitemap(Buffer.from(xml as string), 'example.com');

  test('gives its addresses, also packed, with entities, in CDATA, and past extensions with a <loc> of their own', async () => {
    const xml = `<?xml version="1.0"?><!-- a --><s:urlset xmlns:s="x" xmlns:image="y">
      <s:url><s:loc> https://example.com/?a=1&amp;b=2 </s:loc><image:image><image:loc>https://example.com/a.png</image:loc></image:image></s:url>
      <s:url><s:loc><![CDATA[https://example.com/ü]]></s:loc><s:lastmod>2026-01-01</s:lastmod></s:url></s:urlset>`;
    const expected = { isIndex: false, addresses: ['https://example.com/?a=1&b=2', 'https://example.com/ü'] };
    expect(await sitemap(xml)).toEqual(expected);
    expect(await sitemap(gzipSync(xml))).toEqual(expected);
    expect(await sitemap(sitemapOf(['https://example.com/a.xml'], 'sitemapindex'))).toEqual({
      isIndex: true,
      addresses: ['https://example.com/a.xml'],
    });
  });

  test.each([
    [
      'with entities of its own',
      '<!DOCTYPE u [<!ENTITY e SYSTEM "file:///etc/passwd">]><urlset><url><loc>&e;</loc></url></urlset>',
    ],
    ['with entities of HTML', '<urlset><url><loc>&nbsp;</loc></url></urlset>'],
    ['that is not well-formed', '<urlset><url><loc>https://example.com</url></urlset>'],
    ['that ends too early', '<urlset><url><loc>https://example.com</loc></url>'],
    ['that is a page', '<html><body>Log in</body></html>'],
    ['that is empty', ''],
    ['that is not UTF-8', Uint8Array.of(0x3c, 0xff, 0x3e)],
    ['whose packing is damaged', Uint8Array.of(0x1f, 0x8b, 1, 2, 3)],
  ])('%s is refused', async (_, xml) => {
    await expect(sitemap(xml)).rejects.toMatchObject({ code: 'source_unreadable', message: /example\.com/ });
  });

  test('of more than 50,000 addresses, or one that unpacks without end, is refused', async () => {
    const many = Array.from({ length: 50_001 }, (_, i) => `https://example.com/${i}`);
    await expect(sitemap(sitemapOf(many))).rejects.toMatchObject({ code: 'source_unreadable', message: /50000/ });
    expect((await sitemap(sitemapOf(many.slice(1)))).addresses).toHaveLength(50_000);
    await expect(sitemap(gzipSync(Buffer.alloc(60_000_000)))).rejects.toMatchObject({ code: 'file_too_large' });
  });
});

test('names are addresses as people write them, each once, without fragments', async () => {
  site.set('/map.xml', {
    body: sitemapOf(
      ['/caf%C3%A9', '/caf%C3%A9#opening', '/a%2Fb?x=1', `/${'long'.repeat(200)}`].map((path) => site.url + path),
    ),
  });
  const { items, isWhole } = await list('/map.xml');
  expect(items.map(({ name }) => name.replace(site.host, ''))).toEqual([
    '/café',
    '/a%2Fb?x=1',
    expect.stringMatching(/^\/longlong.*~[0-9a-f]{16}$/),
  ]);
  expect(isWhole).toBe(true);
  expect(items[2]?.name.length).toBeLessThanOrEqual(512);
});

test('an address that does not end in .xml may be said to be a sitemap, and the other way', async () => {
  site.sitemap('/map', ['/a', '/b']);
  expect((await list('/map', { sitemap: true })).items).toHaveLength(2);
  expect((await list('/map.xml', { sitemap: false })).items).toEqual([
    { name: `${site.host}/map.xml`, address: `${site.url}/map.xml` },
  ]);
});

test('a redirect is followed five times on the same host, and not to another one', async () => {
  site.page('/end', 'end');
  for (let i = 1; i <= 6; i++)
    site.set(`/hop-${i}`, { status: 302, headers: { location: i === 1 ? '/end' : `hop-${i - 1}` } });
  expect(await read('/hop-5')).toMatchObject({ state: 'read', mediaType: 'text/html; charset=utf-8' });
  await expect(read('/hop-6')).rejects.toMatchObject({ code: 'source_refused' });
  site.set('/away', { status: 301, headers: { location: `${other.url}/secret` } });
  await expect(read('/away')).rejects.toMatchObject({
    code: 'source_refused',
    message: expect.stringContaining(other.host),
  });
  expect(other.requests).toEqual([]);
});

test('an answer over the limit is refused, one that breaks off is not taken for the whole, a packed one is unpacked', async () => {
  site.set('/big', { body: 'x'.repeat(maxBytes + 1), type: 'text/plain' });
  await expect(read('/big')).rejects.toMatchObject({ code: 'file_too_large', message: /ALFRED_MAX_UPLOAD_MB/ });
  site.set('/full', { body: 'x'.repeat(maxBytes), type: 'text/plain' });
  expect(await read('/full')).toMatchObject({ state: 'read' });
  site.set('/broken', (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.destroy());
  });
  await expect(read('/broken')).rejects.toMatchObject({ code: 'source_unreachable' });
  site.set('/packed', { body: gzipSync('Hello.'), type: 'text/plain', headers: { 'content-encoding': 'gzip' } });
  expect(await read('/packed')).toMatchObject({ bytes: Buffer.from('Hello.') });
  site.set('/bomb', { body: gzipSync(Buffer.alloc(10_000_000)), headers: { 'content-encoding': 'gzip' } });
  await expect(read('/bomb')).rejects.toMatchObject({ code: 'file_too_large' });
});

test('a busy server is asked again when it says so, and not for ever', async () => {
  let asked = 0;
  site.set('/busy', (_, response) => {
    if (++asked < 3) response.writeHead(429, { 'retry-after': '0' }).end();
    else response.writeHead(200, { 'content-type': 'text/plain' }).end('At last.');
  });
  expect(await read('/busy')).toMatchObject({ state: 'read' });
  site.set('/later', { status: 503, headers: { 'retry-after': '3600' } });
  await expect(read('/later')).rejects.toMatchObject({ code: 'source_unreachable' });
});

describe('robots.txt', () => {
  test('decides for Alfred by name, else for everybody', async () => {
    site.page('/open', 'open');
    site.page('/closed/door', 'closed');
    site.set('/robots.txt', {
      body: 'User-agent: *\nDisallow: /\n\nUser-agent: alfred\nDisallow: /closed/*',
      type: 'text/plain',
    });
    expect(await read('/open')).toMatchObject({ state: 'read' });
    await expect(read('/closed/door')).rejects.toMatchObject({ code: 'source_refused', message: /robots\.txt/ });
    // Behind a redirect, too.
    site.set('/open-door', { status: 302, headers: { location: '/closed/door' } });
    await expect(read('/open-door')).rejects.toMatchObject({ code: 'source_refused' });
  });

  test('that is missing allows everything, and one that cannot be read nothing', async () => {
    site.set('/robots.txt', { status: 404 });
    expect(await read('/open')).toMatchObject({ state: 'read' });
    site.set('/robots.txt', { status: 500 });
    await expect(read('/open')).rejects.toMatchObject({ code: 'source_unreachable', message: /robots\.txt/ });
    site.remove('/robots.txt');
  });

  test('is read once for many pages, and again with the next list', async () => {
    const from = source();
    site.takePaths();
    await read('/open', from);
    await read('/open', from);
    expect(site.takePaths().filter((path) => path === '/robots.txt')).toHaveLength(1);
    await from.list({ kind: 'web', address: site.url, options: {} }, signal);
    await read('/open', from);
    expect(site.takePaths().filter((path) => path === '/robots.txt')).toHaveLength(1);
  });

  test('says how long to wait between two pages', async () => {
    site.set('/robots.txt', { body: 'User-agent: *\nCrawl-delay: 0.2', type: 'text/plain' });
    const from = source();
    const began = performance.now();
    await Promise.all([read('/open', from), read('/open', from), read('/open', from)]);
    expect(performance.now() - began).toBeGreaterThanOrEqual(390);
    site.remove('/robots.txt');
  });
});

test('no more than two requests go to one host at once, and another host does not wait for them', async () => {
  const paced = createPace();
  const held = Promise.withResolvers<void>();
  let running = 0;
  const slow = () => paced('a.example', 0, signal, async () => void (running++, await held.promise));
  const all = [slow(), slow(), slow()];
  await paced('b.example', 0, signal, async () => undefined);
  expect(running).toBe(2);
  held.resolve();
  await Promise.all(all);
  expect(running).toBe(3);
});
