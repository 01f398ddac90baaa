import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { lookup } from 'node:dns/promises';
import { BlockList, isIPv6, type LookupFunction } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { noPublicAddressError, type Destination } from './destination.ts';

/**
 * IPv4 addresses written as IPv6, like `::127.0.0.1` (deprecated, RFC 4291). In their other spelling, `::7f00:1`, the
 * filtering agent takes them for public, so we refuse them ourselves.
 */
const ipv4CompatibleAddresses = new BlockList();
ipv4CompatibleAddresses.addSubnet('::', 96, 'ipv6');

/** Resolves a host to at least one address, or rejects when it has none. */
export type ResolveHost = (host: string) => Promise<LookupAddress[]>;

/** Resolves like the operating system: hosts file, then DNS. An IP address resolves to itself. */
const resolveWithSystem: ResolveHost = (host) => lookup(host, { all: true });

/**
 * Protects against server-side request forgery (SSRF): selects the HTTP agent that connects to a host.
 *
 * The default agent refuses every address that is not public: loopback, private, link-local (including the metadata
 * services of clouds), multicast, and IPv6 addresses that contain an IPv4 address. A host whose addresses are all in
 * `allow` gets a plain agent. A host of which only some addresses are allowed gets the default agent, which does not
 * know `allow`: it refuses the host if any of its addresses is not public.
 *
 * A name is resolved only once, and the connection goes to the addresses that were checked. A second lookup could
 * return other addresses (DNS rebinding).
 *
 * @param allow IP addresses and CIDR ranges that may be called although they are not public; empty for none
 */
export function createSsrfGuard(allow: readonly string[], resolve: ResolveHost = resolveWithSystem) {
  // The library's own allow list prints a warning for every IPv4 range when it checks an IPv6 address, and the reverse.
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
   * @throws AlfredError `destination_forbidden`. The agent refuses other addresses later, when it connects: see
   *   `isFilterRefusal`
   */
  return async (destination: Destination) => {
    const addresses = await resolve(destination.host);
    const areAllAllowed = addresses.every((address) => isIn(allowedAddresses, address));
    const hasDisguisedAddress = addresses.some((address) => isIn(ipv4CompatibleAddresses, address));
    if (!areAllAllowed && hasDisguisedAddress) throw noPublicAddressError(destination);
    const agents = areAllAllowed ? plainAgents : filteringAgents;
    return { agent: agents[destination.isSecure ? 'https' : 'http'], lookup: fixedLookup(addresses) };
  };
}

export type SsrfGuard = ReturnType<typeof createSsrfGuard>;

/** A DNS lookup that always returns the given addresses. */
const fixedLookup =
  (addresses: LookupAddress[]): LookupFunction =>
  (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  };

/**
 * Whether the filtering agent refused an address. Its errors have no code and no class of their own, so they are
 * recognised by their message: `DNS lookup … is not allowed. Because, …`.
 */
export const isFilterRefusal = (error: unknown) =>
  error instanceof Error && / is not allowed\. Because/.test(error.message);
