import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';

/** A request as Node has it; `raw` is the same behind a library. */
export type PeerRequest = {
  headers: IncomingMessage['headers'];
  raw: { socket: Pick<IncomingMessage['socket'], 'remoteAddress'> };
};

export const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

const privateNetworks = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const)
  privateNetworks.addSubnet(network, prefix);
for (const [network, prefix] of [
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  privateNetworks.addSubnet(network, prefix, 'ipv6');

/** What proxies add. The peer of such a request is the proxy, and says nothing about who sends it. */
const marksOfProxies = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

/**
 * Whether a request comes from the networks that ALFRED_METRICS_NETWORKS names.
 *
 * @param networks private: this machine and private networks, like that of containers
 */
export function isFromNetworks(request: PeerRequest, networks: 'private' | 'none' | readonly string[]): boolean {
  if (networks === 'none') return false;
  return isDirectFrom(request, networks === 'private' ? [loopback, privateNetworks] : [listOf(networks)]);
}

/** @param networks addresses, or ranges like 10.0.0.0/8 */
function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/**
 * From where a request comes: what the last proxy says that is not ours, or the connection.
 *
 * @param proxies of ours: addresses, or ranges
 */
export function sourceOf({ headers, raw }: PeerRequest, proxies: readonly string[]): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const chain = [...forwarded.map((address) => address.trim()), raw.socket.remoteAddress ?? ''];
  const list = listOf(proxies);
  const isOurs = (address: string) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
  return chain.findLast((address) => !isOurs(address)) ?? '';
}

/** Whether a request comes from one of these networks, with no proxy in between. */
export function isDirectFrom({ headers, raw }: PeerRequest, lists: BlockList[]): boolean {
  const address = raw.socket.remoteAddress ?? '';
  const family = isIP(address);
  if (family === 0 || marksOfProxies.some((name) => name in headers)) return false;
  return lists.some((list) => list.check(address, family === 6 ? 'ipv6' : 'ipv4'));
}
