import type { FastifyRequest } from 'fastify';
import { AlfredError } from '../../contract/errors.ts';

const thisMachine = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * Protects an API without sign-in: refuses requests that another site could make a browser send here.
 *
 * A Host that is not this machine means DNS rebinding. An Origin that is not ours means a page of another site;
 * programs send no Origin, and our own pages send ours.
 *
 * @throws AlfredError `forbidden_host`
 */
export function refuseStrangers({ headers }: FastifyRequest): void {
  const host = headers.host ?? '';
  if (!thisMachine.test(host)) {
    throw new AlfredError(
      'forbidden_host',
      `Without sign-in, Alfred answers only requests addressed to this machine; this one names the host "${host}". Use 127.0.0.1 or localhost.`,
    );
  }
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new AlfredError(
      'forbidden_host',
      `Without sign-in, Alfred takes no requests from web pages of other sites; this one comes from "${origin}".`,
    );
  }
}
