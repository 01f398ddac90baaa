import { AlfredError } from '../../../contract/errors.ts';
import type { ItemFailure, ListedItem, Listing, SourceReader, SourceLocation } from '../../../contract/ports/index.ts';
import type { Outbound, OutboundResponse } from '../../../adapters/outbound/outbound.ts';
import { documentNameOf, withoutControls } from '../document-name.ts';
import { createPace } from './pace.ts';
import { createRobots } from './robots.ts';
import { maxAddresses, readSitemap, tooMany } from './sitemap.ts';
import { isGzip, unzip } from './unzip.ts';
import { createWebClient } from './web-client.ts';

/** A page, or a sitemap with its pages; all on one host. */
export function createWebSource({ outbound, maxBytes }: { outbound: Outbound; maxBytes: number }): SourceReader {
  const client = createWebClient({ outbound, pace: createPace() });
  const robots = createRobots(client);
  const requestOf = (url: string, host: string, signal: AbortSignal) => ({
    url,
    host,
    signal,
    rulesOf: (of: URL) => robots.rulesOf(of, signal),
  });

  async function sitemapAt(url: string, host: string, signal: AbortSignal) {
    const answer = await client.get(requestOf(url, host, signal));
    if (answer.status !== 200) throw refusalOf(answer.status, host);
    return readSitemap(answer.bytes, host);
  }

  async function listSitemap(address: string, signal: AbortSignal): Promise<Listing> {
    const { host } = new URL(address);
    const found = new Found(host);
    const first = await sitemapAt(address, host, signal);
    if (!first.isIndex) found.add(first.addresses);
    for (const part of first.isIndex ? new Set(first.addresses) : []) {
      signal.throwIfAborted();
      const listed = itemOf(part, host);
      if ('code' in listed) {
        found.miss(listed);
        continue;
      }
      try {
        const sitemap = await sitemapAt(listed.address, host, signal);
        if (sitemap.isIndex) throw new AlfredError('source_unreadable', 'An index of sitemaps lists another index.');
        found.add(sitemap.addresses);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof AlfredError) || found.isFull()) throw error;
        // What it lists may be there all the same.
        found.miss({ ...listed, code: error.code, message: error.message });
      }
    }
    return found.listing();
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
      const answer = await client.get({ ...requestOf(address, host, signal), validators });
      const { status, headers } = answer;
      if (status === 304 && (validators.etag ?? validators.lastModified) !== null) return { state: 'unchanged' };
      if (status === 404 || status === 410) return { state: 'gone' };
      if (status !== 200) throw refusalOf(status, host);
      const mediaType = headers['content-type'] ?? '';
      return {
        state: 'read',
        bytes: await plainBytes(answer, maxBytes, host),
        mediaType,
        // Servers call whatever they do not know text/plain.
        typeDecides: !/^(text\/plain|application\/octet-stream)\b/i.test(mediaType),
        etag: headers.etag ?? null,
        lastModified: headers['last-modified'] ?? null,
      };
    },
  };
}

const isSitemap = ({ address, options }: SourceLocation) =>
  options.sitemap ?? /\.xml(\.gz)?$/i.test(new URL(address).pathname);

/** Some servers pack also what they were asked not to. */
const plainBytes = async ({ bytes, headers }: OutboundResponse, maxBytes: number, host: string): Promise<Uint8Array> =>
  headers['content-encoding'] !== undefined && isGzip(bytes) ? unzip(bytes, maxBytes, host) : bytes;

function refusalOf(status: number, host: string): AlfredError {
  if (status >= 500 || status === 429)
    return new AlfredError('source_unreachable', `${host} answered ${status}, and not with what was asked for.`);
  if (status === 404 || status === 410)
    return new AlfredError('source_unreadable', `${host} has nothing at the source’s address (${status}).`);
  return new AlfredError('source_refused', `${host} answered ${status}: Alfred may not read this without signing in.`);
}

/** The addresses of a sitemap, each once. */
class Found {
  readonly #host: string;
  readonly #items = new Map<string, ListedItem>();
  readonly #failures = new Map<string, ListedItem & ItemFailure>();
  #isWhole = true;

  constructor(host: string) {
    this.#host = host;
  }

  add(addresses: string[]) {
    for (const address of addresses) {
      const item = itemOf(address, this.#host);
      if ('code' in item) this.#failures.set(item.name, item);
      else this.#items.set(item.name, item);
      if (this.isFull()) throw tooMany(this.#host);
    }
  }

  miss(failure: ListedItem & ItemFailure) {
    this.#failures.set(failure.name, failure);
    this.#isWhole = false;
  }

  isFull = () => this.#items.size + this.#failures.size > maxAddresses;

  listing(): Listing {
    const failures = [...this.#failures.values()].filter(({ name }) => !this.#items.has(name));
    return { items: [...this.#items.values()], failures, isWhole: this.#isWhole };
  }
}

function itemOf(address: string, host: string): ListedItem | (ListedItem & ItemFailure) {
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol))
    return { ...named(address), code: 'source_unreadable', message: 'This is no web address.' };
  url.hash = '';
  const item = { name: nameOf(url), address: url.href };
  if (url.host === host) return item;
  return { ...item, code: 'source_refused', message: `It is not on ${host}. A source is read from one host only.` };
}

const named = (address: string) => ({ name: documentNameOf(address), address: withoutControls(address) });

/** `www.example.com/handbook/leave?lang=en`, as people write it. */
function nameOf({ host, pathname, search }: URL): string {
  const encoded = host + pathname + search;
  try {
    const name = decodeURI(encoded);
    return documentNameOf(withoutControls(name) === name ? name : encoded);
  } catch {
    return documentNameOf(encoded);
  }
}
