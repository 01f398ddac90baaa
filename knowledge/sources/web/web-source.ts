import { AlfredError } from '../../../contract/errors.ts';
import type { ItemFailure, ListedItem, Listing, SourceReader, SourceLocation } from '../../../contract/ports/index.ts';
import type { Outbound, OutboundResponse } from '../../../adapters/outbound/outbound.ts';
import { documentNameOf, withoutControls } from '../document-name.ts';
import { createHostThrottle } from './host-throttle.ts';
import { createRobots } from './robots.ts';
import { maxAddresses, readSitemap, tooManyAddresses } from './sitemap.ts';
import { isGzip, gunzipWithin } from './gunzip.ts';
import { createWebClient } from './web-client.ts';

/** Reads one page, or all pages of a sitemap. All of them have to be on one host. */
export function createWebSource({ outbound, maxBytes }: { outbound: Outbound; maxBytes: number }): SourceReader {
  const client = createWebClient({ outbound, throttle: createHostThrottle() });
  const robots = createRobots(client);
  const requestOf = (url: string, host: string, signal: AbortSignal) => ({
    url,
    host,
    signal,
    rulesOf: (address: URL) => robots.rulesOf(address, signal),
  });

  async function fetchSitemap(url: string, host: string, signal: AbortSignal) {
    const response = await client.get(requestOf(url, host, signal));
    if (response.status !== 200) throw refusalOf(response.status, host);
    return readSitemap(response.bytes, host);
  }

  async function listSitemap(address: string, signal: AbortSignal): Promise<Listing> {
    const { host } = new URL(address);
    const items = createItemCollector(host);
    const first = await fetchSitemap(address, host, signal);
    if (!first.isIndex) items.add(first.addresses);
    for (const part of first.isIndex ? new Set(first.addresses) : []) {
      signal.throwIfAborted();
      const sitemapItem = itemOf(part, host);
      if ('code' in sitemapItem) {
        items.addFailure(sitemapItem);
        continue;
      }
      try {
        const sitemap = await fetchSitemap(sitemapItem.address, host, signal);
        if (sitemap.isIndex) throw new AlfredError('source_unreadable', 'An index of sitemaps lists another index.');
        items.add(sitemap.addresses);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof AlfredError) || items.isFull()) throw error;
        // The pages that this sitemap lists may still exist.
        items.addFailure({ ...sitemapItem, code: error.code, message: error.message });
      }
    }
    return items.listing();
  }

  return {
    async list(source, signal) {
      const url = new URL(source.address);
      url.hash = '';
      robots.forget(url);
      if (isSitemap(source)) return listSitemap(url.href, signal);
      return { items: [{ name: nameOf(url), address: url.href }], failures: [], isWhole: true };
    },

    async read(source, { address, validators }, signal) {
      const { host } = new URL(source.address);
      const response = await client.get({ ...requestOf(address, host, signal), validators });
      const { status, headers } = response;
      if (status === 304 && (validators.etag ?? validators.lastModified) !== null) return { state: 'unchanged' };
      if (status === 404 || status === 410) return { state: 'gone' };
      if (status !== 200) throw refusalOf(status, host);
      const mediaType = headers['content-type'] ?? '';
      return {
        state: 'read',
        bytes: await contentBytes(response, maxBytes, host),
        mediaType,
        // Servers use these two types also for files that they do not know.
        typeDecides: !/^(text\/plain|application\/octet-stream)\b/i.test(mediaType),
        etag: headers.etag ?? null,
        lastModified: headers['last-modified'] ?? null,
      };
    },
  };
}

const isSitemap = ({ address, options }: SourceLocation) =>
  options.sitemap ?? /\.xml(\.gz)?$/i.test(new URL(address).pathname);

/** The content of a response. Some servers gzip it although the request did not allow that. */
const contentBytes = async (
  { bytes, headers }: OutboundResponse,
  maxBytes: number,
  host: string,
): Promise<Uint8Array> =>
  headers['content-encoding'] !== undefined && isGzip(bytes) ? gunzipWithin(bytes, maxBytes, host) : bytes;

function refusalOf(status: number, host: string): AlfredError {
  if (status >= 500 || status === 429)
    return new AlfredError('source_unreachable', `${host} answered ${status}, and not with what was asked for.`);
  if (status === 404 || status === 410)
    return new AlfredError('source_unreadable', `${host} has nothing at the source’s address (${status}).`);
  return new AlfredError('source_refused', `${host} answered ${status}: Alfred may not read this without signing in.`);
}

/** Collects the items of a sitemap or a sitemap index, each name once. */
function createItemCollector(host: string) {
  const items = new Map<string, ListedItem>();
  const failures = new Map<string, ListedItem & ItemFailure>();
  let isWhole = true;
  const isFull = () => items.size + failures.size > maxAddresses;

  return {
    /** @throws AlfredError `source_unreadable` when there are too many */
    add(addresses: string[]) {
      for (const address of addresses) {
        const item = itemOf(address, host);
        if ('code' in item) failures.set(item.name, item);
        else items.set(item.name, item);
        if (isFull()) throw tooManyAddresses(host);
      }
    },

    /** Records that a part of the index could not be read, so that the listing is not whole. */
    addFailure(failure: ListedItem & ItemFailure) {
      failures.set(failure.name, failure);
      isWhole = false;
    },

    isFull,

    listing: (): Listing => ({
      items: [...items.values()],
      failures: [...failures.values()].filter(({ name }) => !items.has(name)),
      isWhole,
    }),
  };
}

/** The item of an address, or the reason why the source cannot read it. */
function itemOf(address: string, host: string): ListedItem | (ListedItem & ItemFailure) {
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol))
    return { ...failedItem(address), code: 'source_unreadable', message: 'This is no web address.' };
  url.hash = '';
  const item = { name: nameOf(url), address: url.href };
  if (url.host === host) return item;
  return { ...item, code: 'source_refused', message: `It is not on ${host}. A source is read from one host only.` };
}

const failedItem = (address: string) => ({ name: documentNameOf(address), address: withoutControls(address) });

/** For example `www.example.com/handbook/leave?lang=en`, percent-decoded where possible. */
function nameOf({ host, pathname, search }: URL): string {
  const encoded = host + pathname + search;
  try {
    const name = decodeURI(encoded);
    return documentNameOf(withoutControls(name) === name ? name : encoded);
  } catch {
    return documentNameOf(encoded);
  }
}
