import sax from 'sax';
import { AlfredError } from '../../../contract/errors.ts';
import { isGzip, gunzipWithin } from './gunzip.ts';

/** Limits of one sitemap (https://www.sitemaps.org/protocol.html). The first is also the limit of a source. */
export const maxAddresses = 50_000;
const maxBytes = 50 * 1_024 * 1_024;

/** The package's types lack the option. */
const parserOptions: sax.SAXOptions & { strictEntities: true } = { strictEntities: true };

export type Sitemap = { isIndex: boolean; addresses: string[] };

/**
 * Reads a sitemap or a sitemap index, gzipped or not. The parser is strict and fetches nothing. It knows only the five
 * entities of XML: a document type declaration, which could declare others, is refused.
 *
 * @param host for error messages
 * @throws AlfredError `source_unreadable`, `file_too_large`
 */
export async function readSitemap(bytes: Uint8Array, host: string): Promise<Sitemap> {
  const unreadable = (why: string, cause?: unknown) =>
    new AlfredError('source_unreadable', `The sitemap of ${host} cannot be read: ${why}.`, { cause });
  const xml = isGzip(bytes) ? await gunzipWithin(bytes, maxBytes, host) : bytes;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(xml);
  } catch (cause) {
    throw unreadable('it is not UTF-8', cause);
  }

  const path: string[] = [];
  const addresses: string[] = [];
  let root = '';
  let address = '';
  const isLocation = () =>
    path.length === 3 && path[2] === 'loc' && path[1] === (root === 'urlset' ? 'url' : 'sitemap');
  const parser = sax.parser(true, parserOptions);
  parser.ondoctype = () => {
    throw unreadable('it has a document type declaration, which a sitemap has no use for');
  };
  parser.onerror = (error) => {
    // The other lines of the message are line and column numbers.
    throw unreadable(`it is not well-formed XML (${error.message.split('\n')[0]})`, error);
  };
  parser.onopentag = ({ name }) => {
    path.push(name.slice(name.indexOf(':') + 1));
    if (path.length > 1) return;
    root = path[0] ?? '';
    if (root !== 'urlset' && root !== 'sitemapindex')
      throw unreadable(`its root is <${root.slice(0, 40)}>, expected <urlset> or <sitemapindex>`);
  };
  parser.ontext = parser.oncdata = (piece) => {
    if (isLocation()) address += piece;
  };
  parser.onclosetag = () => {
    if (isLocation()) {
      addresses.push(address.trim());
      address = '';
      if (addresses.length > maxAddresses) throw tooManyAddresses(host);
    }
    path.pop();
  };
  parser.write(text).close();
  if (root === '') throw unreadable('it is empty');
  return { isIndex: root === 'sitemapindex', addresses };
}

export const tooManyAddresses = (host: string) =>
  new AlfredError(
    'source_unreadable',
    `The sitemap of ${host} has more than ${maxAddresses} addresses. Make sources of its parts.`,
  );
