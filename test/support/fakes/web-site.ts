import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Page =
  | {
      body: string | Uint8Array;
      type?: string;
      headers?: Record<string, string>;
      validators?: 'etag' | 'date' | 'none';
    }
  | { status: number; headers?: Record<string, string> }
  | ((request: IncomingMessage, response: ServerResponse) => void);

export type SiteRequest = { path: string; agent: string; isConditional: boolean; status: number };

const lastModified = 'Wed, 21 Oct 2026 07:28:00 GMT';

/** Another company's web server. It answers conditional requests (RFC 9110, 13) and records all requests. */
export async function createWebSite() {
  const pages = new Map<string, Page>();
  const requests: SiteRequest[] = [];
  let concurrent = 0;
  let maxConcurrent = 0;
  const server = createServer((request, response) => {
    const { url: path = '', headers } = request;
    concurrent++;
    maxConcurrent = Math.max(maxConcurrent, concurrent);
    response.on('close', () => void concurrent--);
    const isConditional = Boolean(headers['if-none-match'] ?? headers['if-modified-since']);
    response.on('finish', () =>
      requests.push({ path, agent: headers['user-agent'] ?? '', isConditional, status: response.statusCode }),
    );
    const page = pages.get(path);
    if (typeof page === 'function') page(request, response);
    else if (!page) response.writeHead(404).end('nothing here');
    else if ('status' in page) response.writeHead(page.status, page.headers ?? {}).end();
    else answer(page, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    host: `127.0.0.1:${port}`,
    requests,
    /** The paths of the requests since the last call. */
    takePaths: () => requests.splice(0).map(({ path }) => path),
    maxConcurrent: () => maxConcurrent,
    set: (path: string, page: Page) => void pages.set(path, page),
    page: (path: string, words: string) =>
      void pages.set(path, {
        body: `<!doctype html><title>${words}</title><main><h1>${words}</h1><p>All about ${words}.</p></main>`,
        type: 'text/html; charset=utf-8',
      }),
    remove: (path: string) => void pages.delete(path),
    sitemap: (path: string, paths: string[]) =>
      void pages.set(path, { body: sitemapOf(paths.map((one) => url + one)) }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
export type WebSite = Awaited<ReturnType<typeof createWebSite>>;

export const sitemapOf = (addresses: string[], kind: 'urlset' | 'sitemapindex' = 'urlset') => {
  const tag = kind === 'urlset' ? 'url' : 'sitemap';
  const entries = addresses.map((address) => `<${tag}><loc>${address.replace(/&/g, '&amp;')}</loc></${tag}>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${entries.join('\n')}</${kind}>`;
};

function answer(
  { body, type = 'application/xml', headers = {}, validators = 'etag' }: Extract<Page, { body: unknown }>,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 12)}"`;
  const fresh = {
    ...(validators === 'etag' ? { etag } : {}),
    ...(validators === 'none' ? {} : { 'last-modified': lastModified }),
  };
  const ifNoneMatch = request.headers['if-none-match'];
  // If-Modified-Since is ignored when there is an If-None-Match (RFC 9110, 13.1.3).
  const isSame =
    ifNoneMatch === undefined
      ? validators === 'date' && request.headers['if-modified-since'] === lastModified
      : validators === 'etag' && ifNoneMatch === etag;
  if (isSame) response.writeHead(304, fresh).end();
  else response.writeHead(200, { 'content-type': type, ...fresh, ...headers }).end(body);
}
