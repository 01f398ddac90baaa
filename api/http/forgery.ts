import type { FastifyRequest } from 'fastify';
import { AlfredError } from '../../contract/errors.ts';

const safeMethods = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Refuses a request that another page may have made a browser send with its cookie. Browsers say with each request that
 * changes something which page sends it (`Origin`), and the guard has compared that with our address. The second header
 * cannot be set by a form, and scripts of other sites cannot set it without asking first.
 *
 * @throws AlfredError `forbidden_host`
 */
export function refuseForgery({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): void {
  const site = headers['sec-fetch-site'];
  // Also for reading: an answer to a page of another site could be embedded there.
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none';
  const isSafe = safeMethods.includes(method);
  const isOurs = headers.origin !== undefined && (site === 'same-origin' || headers['x-alfred-request'] !== undefined);
  if (!isForeign && (isSafe || isOurs)) return;
  throw new AlfredError(
    'forbidden_host',
    'With a browser session, requests come from pages of this address alone. They have `Origin`, and `Sec-Fetch-Site: same-origin` or `X-Alfred-Request`.',
  );
}
