import { AlfredError } from '../../contract/errors.ts';

export type Destination = {
  url: URL;
  /** Host name or IP address; an IPv6 address without brackets. */
  host: string;
  isSecure: boolean;
  /**
   * Host and port: the only part of the address that may be shown or stored, because path and query may hold secrets.
   */
  name: string;
};

/**
 * Parses an address that comes from outside, such as from a model. `createSsrfGuard` checks whether the host is public.
 *
 * @throws AlfredError `destination_forbidden` when it is not an http(s) URL or contains credentials
 */
export function parseDestination(text: string): Destination {
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

/** The error for a host whose addresses are not public. */
export const noPublicAddressError = ({ name }: Destination, cause?: unknown) =>
  new AlfredError(
    'destination_forbidden',
    `${name} has no public address. Who runs Alfred can allow its address with ALFRED_OUTBOUND_ALLOW.`,
    { cause },
  );
