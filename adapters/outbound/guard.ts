import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { lookup } from 'node:dns/promises';
import { BlockList, isIPv6, type LookupFunction } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { noPublicAddressError, type Destination } from './destination.ts';

/**
 * `::127.0.0.1`: a deprecated form, and the only kind of embedded IPv4 address that the filtering agent lets through.
 */
const ipv4Compatible = new BlockList();
ipv4Compatible.addSubnet('::', 96, 'ipv6');

export type ResolveHost = (host: string) => Promise<LookupAddress[]>;

/** Resolves like the operating system: hosts file, then DNS. An IP address resolves to itself. */
const resolveWithSystem: ResolveHost = (host) => lookup(host, { all: true });

/**
 * Protects against server-side request forgery: selects the HTTP agent that connects to a host.
 *
 * The default agent refuses every address that is not public: loopback, private, link-local (including the metadata
 * services of clouds), multicast, and addresses that embed such an address. A host whose addresses are all in `allow`
 * gets a plain agent. A name is resolved only once, so the address that was checked is the address that is connected
 * to.
 *
 * @param allow IP addresses, and ranges in CIDR notation
 */
export function createGuard(allow: readonly string[], resolve: ResolveHost = resolveWithSystem) {
  // Not the library's own allow list: it prints a warning for every range of the other address family.
  const allowedAddresses = new BlockList();
  for (const entry of allow) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) allowedAddresses.addAddress(address, family);
    else allowedAddresses.addSubnet(address, Number(bits), family);
  }
  const isIn = (list: BlockList, { address, family }: LookupAddress) =>
    list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  const filteringAgents = { http: new RequestFilteringHttpAgent(), https: new RequestFilteringHttpsAgent() };
  const plainAgents = { http: new HttpAgent(), https: new HttpsAgent() };

  /**
   * @returns options of the request: the agent, and a lookup that returns the addresses that were checked
   * @throws AlfredError `destination_forbidden`; the agent itself may refuse later, see `isFilterRefusal`
   */
  return async (destination: Destination) => {
    const addresses = await resolve(destination.host);
    const isAllowed = addresses.every((address) => isIn(allowedAddresses, address));
    if (!isAllowed && addresses.some((address) => isIn(ipv4Compatible, address)))
      throw noPublicAddressError(destination);
    const agents = isAllowed ? plainAgents : filteringAgents;
    return { agent: agents[destination.isSecure ? 'https' : 'http'], lookup: fixedLookup(addresses) };
  };
}

export type Guard = ReturnType<typeof createGuard>;

/** A DNS lookup that always returns the given addresses. */
const fixedLookup =
  (addresses: LookupAddress[]): LookupFunction =>
  (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  };

/**
 * Whether the filtering agent refused an address. Unlike connection errors, its errors have no code, only a message.
 */
export const isFilterRefusal = (error: unknown) =>
  error instanceof Error && / is not allowed\. Because/.test(error.message);
