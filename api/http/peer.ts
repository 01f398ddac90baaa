import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { isKnownHost } from './guard.ts';

type Request = Pick<FastifyRequest, 'headers' | 'raw'>;

const loopback = new BlockList();
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

/** Whether a program on this machine sends a request: the connection says so, and not its `Host`. */
export const isFromThisMachine = (request: Request): boolean =>
  isDirectFrom(request, [loopback]) && isKnownHost(request.headers.host, []);

/** Whether a request comes from this machine or from a private network, like that of containers. */
export const isFromPrivateNetwork = (request: Request): boolean => isDirectFrom(request, [loopback, privateNetworks]);

function isDirectFrom({ headers, raw }: Request, lists: BlockList[]): boolean {
  const address = raw.socket.remoteAddress ?? '';
  const family = isIP(address);
  if (family === 0 || marksOfProxies.some((name) => name in headers)) return false;
  return lists.some((list) => list.check(address, family === 6 ? 'ipv6' : 'ipv4'));
}
