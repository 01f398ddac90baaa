import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { lookup } from 'node:dns/promises';
import { BlockList, isIPv6, type LookupFunction } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { noPublicAddress, type Destination } from './destination.ts';

/** `::127.0.0.1`: long deprecated, and the only kind of embedded address that the filtering agent takes for public. */
const ipv4Compatible = new BlockList();
ipv4Compatible.addSubnet('::', 96, 'ipv6');

export type Resolve = (host: string) => Promise<LookupAddress[]>;

/** As the machine resolves names: hosts file, then DNS. An address resolves to itself. */
export const resolveByMachine: Resolve = (host) => lookup(host, { all: true });

/**
 * Which agent connects to a host: by default one that refuses every address that is not public (loopback, private,
 * link-local with the clouds' metadata services, multicast, addresses that embed one of another kind); a plain one when
 * all addresses of the host are allowed by configuration. Names are resolved once, so that what was judged is what is
 * connected to.
 *
 * @param allow IP addresses and ranges in CIDR form
 */
export function createGuard(allow: readonly string[], resolve: Resolve = resolveByMachine) {
  // The library's own list of exceptions warns on the console about every range of the other address family.
  const allowed = new BlockList();
  for (const entry of allow) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) allowed.addAddress(address, family);
    else allowed.addSubnet(address, Number(bits), family);
  }
  const isIn = (list: BlockList, { address, family }: LookupAddress) =>
    list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  const filtering = { http: new RequestFilteringHttpAgent(), https: new RequestFilteringHttpsAgent() };
  const plain = { http: new HttpAgent(), https: new HttpsAgent() };

  /** @throws AlfredError `destination_forbidden`, or what the agent throws when it is used (see `isRefusal`) */
  return async (destination: Destination) => {
    const addresses = await resolve(destination.host);
    const isAllowed = addresses.every((address) => isIn(allowed, address));
    if (!isAllowed && addresses.some((address) => isIn(ipv4Compatible, address))) throw noPublicAddress(destination);
    const agents = isAllowed ? plain : filtering;
    return { agent: agents[destination.isSecure ? 'https' : 'http'], lookup: pinned(addresses) };
  };
}

export type Guard = ReturnType<typeof createGuard>;

const pinned =
  (addresses: LookupAddress[]): LookupFunction =>
  (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  };

/** The filtering agent's errors have no code, other than those of connections. */
export const isRefusal = (error: unknown) => error instanceof Error && / is not allowed\. Because/.test(error.message);
