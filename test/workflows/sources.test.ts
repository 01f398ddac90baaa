import { describe, expect, test } from '@jest/globals';
import { sitemapOf } from '../support/fakes/web-site.ts';
import { completedWith, scope, useSources } from './use-sources.ts';

const sources = useSources();

describe('a sitemap', () => {
  test('is read once; later syncs read only changed pages and remove those that are gone', async () => {
    await sources.work();
    for (const words of ['leave', 'travel', 'pets']) sources.site.page(`/${words}`, words);
    sources.site.sitemap('/sitemap.xml', ['/leave', '/travel', '/pets', '/leave']);
    const source = await sources.add('/sitemap.xml', { collection: 'site', tags: ['web'], readers: ['group:staff'] });
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ added: 3 }));
    expect(await sources.textOf('/leave')).toContain('All about leave.');
    const { documents } = await sources.adapters.documents.list(scope, { limit: 10, collection: 'site' });
    expect(documents[0]).toMatchObject({ tags: ['web'], readers: ['group:staff'], title: 'leave' });
    expect(new Set(sources.site.requests.map(({ agent }) => agent.split('/')[0]))).toEqual(new Set(['Alfred']));
    expect(sources.site.maxConcurrent()).toBeLessThanOrEqual(2);
    sources.site.takePaths();

    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ unchanged: 3 }));
    expect(sources.site.requests.filter(({ path }) => !/xml|txt/.test(path)).map(({ status }) => status)).toEqual([
      304, 304, 304,
    ]);

    sources.site.page('/travel', 'trains');
    sources.site.remove('/pets');
    sources.site.page('/new', 'parking');
    sources.site.sitemap('/sitemap.xml', ['/travel', '/pets', '/new']);
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ added: 1, replaced: 1, removed: 2 }));
    expect([await sources.textOf('/leave'), await sources.textOf('/pets')]).toEqual([undefined, undefined]);
    expect(await sources.textOf('/travel')).toContain('All about trains.');
  });

  test('a bad item does not stop the others, is listed with its reason, keeps its earlier document, and is retried', async () => {
    await sources.work();
    sources.site.page('/good', 'good');
    sources.site.page('/shaky', 'shaky');
    sources.site.set('/robots.txt', { body: 'User-agent: Alfred\nDisallow: /secret', type: 'text/plain' });
    sources.site.page('/secret', 'secret');
    sources.site.set('/login', { status: 403 });
    sources.site.set('/picture', { body: Uint8Array.of(137, 80, 78, 71, 0, 1), type: 'image/png' });
    sources.site.set('/elsewhere', { status: 302, headers: { location: 'http://example.com/' } });
    const paths = ['/good', '/shaky', '/secret', '/login', '/picture', '/elsewhere'];
    sources.site.set('/sitemap.xml', {
      body: sitemapOf([...paths.map((path) => sources.site.url + path), 'http://other.example/page', 'mailto:nobody']),
    });
    const source = await sources.add('/sitemap.xml');
    const first = await sources.sync(source);
    expect(first.sync).toMatchObject(completedWith({ added: 2, failed: 6 }));
    expect(
      Object.fromEntries(first.failures.map(({ name, error }) => [name.replace(sources.site.host, ''), error.code])),
    ).toEqual({
      '/secret': 'source_refused',
      '/login': 'source_refused',
      '/picture': 'file_unreadable',
      '/elsewhere': 'source_refused',
      'other.example/page': 'source_refused',
      'mailto:nobody': 'source_unreadable',
    });
    expect(sources.site.takePaths()).not.toContain('/secret');

    sources.site.set('/shaky', { status: 500 });
    sources.site.page('/login', 'open');
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ added: 1, unchanged: 1, failed: 6 }));
    expect(await sources.textOf('/shaky')).toContain('All about shaky.');
    sources.site.page('/shaky', 'shaky');
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ unchanged: 3, failed: 5 }));
  });

  test('an unreadable part of a sitemap index is listed as a failure, and nothing is removed', async () => {
    await sources.work();
    for (const words of ['one', 'two']) {
      sources.site.page(`/${words}`, words);
      sources.site.sitemap(`/map-${words}.xml`, [`/${words}`]);
    }
    sources.site.set('/index.xml', {
      body: sitemapOf([`${sources.site.url}/map-one.xml`, `${sources.site.url}/map-two.xml`], 'sitemapindex'),
    });
    const source = await sources.add('/index.xml');
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ added: 2 }));
    sources.site.set('/map-two.xml', { status: 500 });
    const broken = await sources.sync(source);
    expect(broken.failures).toMatchObject([
      { name: `${sources.site.host}/map-two.xml`, error: { code: 'source_unreachable' } },
    ]);
    expect(await sources.textOf('/two')).toBeDefined();
    sources.site.sitemap('/map-two.xml', []);
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ unchanged: 1, removed: 1 + 1 }));
    expect(await sources.textOf('/two')).toBeUndefined();
  });

  test('that cannot be read fails the sync with the reason, and nothing is removed', async () => {
    await sources.work();
    sources.site.page('/kept', 'kept');
    sources.site.sitemap('/sitemap.xml', ['/kept']);
    const source = await sources.add('/sitemap.xml');
    await sources.sync(source);
    sources.site.set('/sitemap.xml', { body: '<!doctype html><title>Log in</title>', type: 'text/html' });
    expect((await sources.sync(source)).sync).toMatchObject({ state: 'failed', error: { code: 'source_unreadable' } });
    await expect(sources.handleOf(source).result()).rejects.toMatchObject({ cause: { type: 'source_unreadable' } });
    expect(await sources.textOf('/kept')).toBeDefined();
  });
});

describe('a page', () => {
  test('is one document, by its Last-Modified where it has no ETag, and gone when it is 410', async () => {
    await sources.work();
    sources.site.set('/page', { body: '<p>Hello there.</p>', type: 'text/html', validators: 'date' });
    const source = await sources.add('/page');
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ added: 1 }));
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ unchanged: 1 }));
    expect(sources.site.requests.at(-1)).toMatchObject({ path: '/page', isConditional: true, status: 304 });
    sources.site.set('/page', { status: 410 });
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ removed: 1 }));
    expect(await sources.textOf('/page')).toBeUndefined();
  });

  test('whose document was deleted is read again, and a document that an upload has replaced is not removed', async () => {
    await sources.work();
    sources.site.page('/page', 'ours');
    const source = await sources.add('/page');
    await sources.sync(source);
    const [before] = (await sources.adapters.documents.list(scope, { limit: 500 })).documents.filter(({ name }) =>
      name.startsWith(sources.site.host),
    );
    await sources.adapters.documents.delete(scope, before?.id ?? '');
    expect((await sources.sync(source)).sync).toMatchObject(completedWith({ added: 1 }));
    await sources.adapters.documents.put(scope, {
      file: { name: `${sources.site.host}/page`, mediaType: 'text/plain', contentHash: 'another', sizeBytes: 3 },
      parse: async () => ({ title: 'Mine', text: 'My own.', language: null, chunks: [] }),
      placement: { collection: 'default' },
    });
    sources.site.remove('/page');
    await sources.sync(source);
    expect(await sources.textOf('/page')).toBe('My own.');
  });

  test('at an address that is not public is refused', async () => {
    await sources.work();
    const source = await sources.add('', { address: 'http://10.0.0.1/page' });
    expect((await sources.sync(source)).failures).toMatchObject([{ error: { code: 'destination_forbidden' } }]);
  });
});
