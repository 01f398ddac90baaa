import type { FastifyRequest } from 'fastify';
import { AlfredError } from '../../contract/errors.ts';

const thisMachine = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/;

/** Whether a Host is this machine or an allowed one. Any other may be that of a rebound web page. */
export const isKnownHost = (host: string | undefined, allowed: readonly string[]): boolean =>
  thisMachine.test((host ?? '').toLowerCase()) || isListedHost(host, allowed);

function isListedHost(host = '', allowed: readonly string[]): boolean {
  const name = host.toLowerCase();
  return allowed.includes(name) || allowed.includes(name.replace(/:\d{1,5}$/, ''));
}

/** The most header fields of a request. Node would leave out those beyond two thousand without a word. */
const mostHeaders = 100;

/** @throws AlfredError `malformed_request` */
export function refuseManyHeaders({ raw }: Pick<FastifyRequest, 'raw'>): void {
  const count = raw.rawHeaders.length / 2;
  if (count > mostHeaders)
    throw new AlfredError('malformed_request', `The request has ${count} header fields; send at most ${mostHeaders}.`);
}

/**
 * Refuses requests that another site could make a browser send here.
 *
 * A Host that is neither this machine nor an allowed one means DNS rebinding. An Origin that is not ours means a page
 * of another site, also where the browser asks for no permission first, as for forms. Programs send no Origin, and our
 * own pages send ours.
 *
 * @param allowed further hosts: `name:port`, or `name` for any port; in lower case
 * @param isProbe true: any host may be named, as load balancers name the machine by its address
 * @param origins of other sites whose pages may use the API (ALFRED_CORS_ORIGINS)
 * @throws AlfredError `forbidden_host`
 */
export function refuseStrangers(
  { headers }: Pick<FastifyRequest, 'headers'>,
  allowed: readonly string[],
  isProbe = false,
  origins: readonly string[] = [],
): void {
  const host = (headers.host ?? '').toLowerCase();
  const isListed = isListedHost(host, allowed);
  if (!isKnownHost(host, allowed) && !isProbe) {
    throw new AlfredError(
      'forbidden_host',
      `Alfred answers only requests addressed to this machine or to a host in ALFRED_API_HOSTS; this one names the host "${headers.host ?? ''}". Use 127.0.0.1 or localhost, or list the host there.`,
    );
  }
  const origin = headers.origin?.toLowerCase();
  // A listed host may be that of a proxy which speaks TLS with the browser.
  const own = isListed ? [`http://${host}`, `https://${host}`] : [`http://${host}`];
  if (origin !== undefined && !own.includes(origin) && !origins.includes(headers.origin ?? '')) {
    throw new AlfredError(
      'forbidden_host',
      `Alfred takes no requests from web pages of other sites; this one comes from "${headers.origin}".`,
    );
  }
}
