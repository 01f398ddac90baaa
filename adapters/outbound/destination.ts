import { AlfredError } from '../../contract/errors.ts';

export type Destination = {
  url: URL;
  /** Without the brackets of IPv6. */
  host: string;
  isSecure: boolean;
  /** What may be shown and kept of the address: a path or query may hold a secret. */
  name: string;
};

/**
 * An address that somebody else named, as far as one can tell without asking the DNS.
 *
 * @throws AlfredError `destination_forbidden`
 */
export function destinationOf(text: string): Destination {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new AlfredError('destination_forbidden', 'Only http:// and https:// addresses are called.');
  const { protocol, host: name, hostname, username, password } = url;
  if (username || password)
    throw new AlfredError(
      'destination_forbidden',
      `The address at ${name} has a user or password in it. Addresses with credentials are not called.`,
    );
  return { url, host: hostname.replace(/^\[|\]$/g, ''), isSecure: protocol === 'https:', name };
}

export const noPublicAddress = ({ name }: Destination, cause?: unknown) =>
  new AlfredError(
    'destination_forbidden',
    `${name} has no public address. Who runs Alfred can allow its address with ALFRED_OUTBOUND_ALLOW.`,
    { cause },
  );
