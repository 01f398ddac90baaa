import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createOutbound } from '../../../adapters/outbound/outbound.ts';
import { createHostThrottle } from '../../../knowledge/sources/web/host-throttle.ts';
import { readSitemap } from '../../../knowledge/sources/web/sitemap.ts';
import { createWebSource } from '../../../knowledge/sources/web/web-source.ts';
import { createWebSite, sitemapOf, type WebSite } from '../../support/fakes/web-site.ts';

const signal = new AbortController().signal;
const maxBytes = 100_000;
const noValidators = { etag: null, lastModified: null };
let site: WebSite;
let otherSite: WebSite;
beforeAll(async () => {
  [site, otherSite] = await Promise.all([createWebSite(), createWebSite()]);
});
afterAll(() => Promise.all([site.close(), otherSite.close()]));

const createReader = () =>
  createWebSource({ outbound: createOutbound({ allow: ['127.0.0.1'], maxBytes, timeoutMs: 5_000 }), maxBytes });
const read = (path: string, reader = createReader()) =>
  reader.read(
    { kind: 'web', address: site.url, options: {} },
    { name: path, address: site.url + path, validators: noValidators },
    signal,
  );
const list = (path: string, options = {}) =>
  createReader().list({ kind: 'web', address: site.url + path, options }, signal);

describe('a sitemap', () => {
  const readXml = (xml: string | Uint8Array) => readSitemap(Buffer.from(xml as string), 'example.com');

  test('is read with gzip, entities and CDATA; a <loc> of an extension is ignored', async () => {
    const xml = `<?xml version="1.0"?><!-- a --><s:urlset xmlns:s="x" xmlns:image="y">
      <s:url><s:loc> https://example.com/?a=1&amp;b=2 </s:loc><image:image><image:loc>https://example.com/a.png</image:loc></image:image></s:url>
      <s:url><s:loc><![CDATA[https://example.com/ü]]></s:loc><s:lastmod>2026-01-01</s:lastmod></s:url></s:urlset>`;
    const expected = { isIndex: false, addresses: ['https://example.com/?a=1&b=2', 'https://example.com/ü'] };
    expect(await readXml(xml)).toEqual(expected);
    expect(await readXml(gzipSync(xml))).toEqual(expected);
    expect(await readXml(sitemapOf(['https://example.com/a.xml'], 'sitemapindex'))).toEqual({
      isIndex: true,
      addresses: ['https://example.com/a.xml'],
    });
  });

  test.each([
    [
      'that declares entities',
      '<!DOCTYPE u [<!ENTITY e SYSTEM "file:///etc/passwd">]><urlset><url><loc>&e;</loc></url></urlset>',
    ],
    ['with HTML entities', '<urlset><url><loc>&nbsp;</loc></url></urlset>'],
    ['that is not well-formed', '<urlset><url><loc>https://example.com</url></urlset>'],
    ['that ends too early', '<urlset><url><loc>https://example.com</loc></url>'],
    ['that is a page', '<html><body>Log in</body></html>'],
    ['that is empty', ''],
    ['that is not UTF-8', Uint8Array.of(0x3c, 0xff, 0x3e)],
    ['whose gzip is damaged', Uint8Array.of(0x1f, 0x8b, 1, 2, 3)],
  ])('%s is refused', async (_, xml) => {
    await expect(readXml(xml)).rejects.toMatchObject({ code: 'source_unreadable', message: /example\.com/ });
  });

  test('with more than 50,000 addresses, or that unpacks without bounds, is refused', async () => {
    const many = Array.from({ length: 50_001 }, (_, i) => `https://example.com/${i}`);
    await expect(readXml(sitemapOf(many))).rejects.toMatchObject({ code: 'source_unreadable', message: /50000/ });
    expect((await readXml(sitemapOf(many.slice(1)))).addresses).toHaveLength(50_000);
    await expect(readXml(gzipSync(Buffer.alloc(60_000_000)))).rejects.toMatchObject({ code: 'file_too_large' });
  });
});

test('an item is named by its readable address, once, without the fragment', async () => {
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

test('the option `sitemap` overrides the extension of the address', async () => {
  site.sitemap('/map', ['/a', '/b']);
  expect((await list('/map', { sitemap: true })).items).toHaveLength(2);
  expect((await list('/map.xml', { sitemap: false })).items).toEqual([
    { name: `${site.host}/map.xml`, address: `${site.url}/map.xml` },
  ]);
});

test('up to five redirects are followed on the same host, and none to another host', async () => {
  site.page('/end', 'end');
  for (let i = 1; i <= 6; i++)
    site.set(`/hop-${i}`, { status: 302, headers: { location: i === 1 ? '/end' : `hop-${i - 1}` } });
  expect(await read('/hop-5')).toMatchObject({ state: 'read', mediaType: 'text/html; charset=utf-8' });
  await expect(read('/hop-6')).rejects.toMatchObject({ code: 'source_refused' });
  site.set('/away', { status: 301, headers: { location: `${otherSite.url}/secret` } });
  await expect(read('/away')).rejects.toMatchObject({
    code: 'source_refused',
    message: expect.stringContaining(otherSite.host),
  });
  expect(otherSite.requests).toEqual([]);
});

test('a response that is too large or incomplete is refused; a gzipped one is unpacked', async () => {
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

test('a busy server gets another request after its delay, but not without end', async () => {
  let requests = 0;
  site.set('/busy', (_, response) => {
    if (++requests < 3) response.writeHead(429, { 'retry-after': '0' }).end();
    else response.writeHead(200, { 'content-type': 'text/plain' }).end('At last.');
  });
  expect(await read('/busy')).toMatchObject({ state: 'read' });
  site.set('/later', { status: 503, headers: { 'retry-after': '3600' } });
  await expect(read('/later')).rejects.toMatchObject({ code: 'source_unreachable' });
});

describe('robots.txt', () => {
  test('applies its rules for Alfred before its rules for all', async () => {
    site.page('/open', 'open');
    site.page('/closed/door', 'closed');
    site.set('/robots.txt', {
      body: 'User-agent: *\nDisallow: /\n\nUser-agent: alfred\nDisallow: /closed/*',
      type: 'text/plain',
    });
    expect(await read('/open')).toMatchObject({ state: 'read' });
    await expect(read('/closed/door')).rejects.toMatchObject({ code: 'source_refused', message: /robots\.txt/ });
    // The target of a redirect is checked too.
    site.set('/open-door', { status: 302, headers: { location: '/closed/door' } });
    await expect(read('/open-door')).rejects.toMatchObject({ code: 'source_refused' });
  });

  test('that is missing allows everything, and one that cannot be read allows nothing', async () => {
    site.set('/robots.txt', { status: 404 });
    expect(await read('/open')).toMatchObject({ state: 'read' });
    site.set('/robots.txt', { status: 500 });
    await expect(read('/open')).rejects.toMatchObject({ code: 'source_unreachable', message: /robots\.txt/ });
    site.remove('/robots.txt');
  });

  test('is read once for many pages, and again when the source is listed', async () => {
    const reader = createReader();
    site.takePaths();
    await read('/open', reader);
    await read('/open', reader);
    expect(site.takePaths().filter((path) => path === '/robots.txt')).toHaveLength(1);
    await reader.list({ kind: 'web', address: site.url, options: {} }, signal);
    await read('/open', reader);
    expect(site.takePaths().filter((path) => path === '/robots.txt')).toHaveLength(1);
  });

  test('sets the least time between two pages', async () => {
    site.set('/robots.txt', { body: 'User-agent: *\nCrawl-delay: 0.2', type: 'text/plain' });
    const reader = createReader();
    const startedAt = performance.now();
    await Promise.all([read('/open', reader), read('/open', reader), read('/open', reader)]);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(390);
    site.remove('/robots.txt');
  });
});

test('at most two requests go to one host at a time, and another host does not wait for them', async () => {
  const throttle = createHostThrottle();
  const release = Promise.withResolvers<void>();
  let running = 0;
  const slowRequest = () =>
    throttle('a.example', 0, signal, async () => {
      running++;
      await release.promise;
    });
  const requests = [slowRequest(), slowRequest(), slowRequest()];
  await throttle('b.example', 0, signal, async () => undefined);
  expect(running).toBe(2);
  release.resolve();
  await Promise.all(requests);
  expect(running).toBe(3);
});
