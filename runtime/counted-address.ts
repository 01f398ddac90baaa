import { isIP } from 'node:net';

/**
 * The address whose requests are counted together: an IPv4 address, or the first 64 bits of an IPv6 address, because a
 * household or a server has all that begin so.
 *
 * @param ip as the connection or a trusted proxy says it; some proxies add a port
 * @param peer the connection's own, for what no address can be read from
 */
export function countedAddress(ip: string, peer: string): string {
  const address = readAddress(ip) ?? readAddress(peer);
  if (address === undefined) return 'unknown';
  return isIP(address) === 6 ? networkOf(address) : address;
}

function readAddress(text: string): string | undefined {
  const bare = text
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')
    .replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(bare)?.[1] ?? bare;
  return isIP(mapped) === 0 ? undefined : mapped.toLowerCase();
}

/** The first four groups of an IPv6 address, as `2001:db8:0:1::/64`. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('::');
  const groupsOf = (part: string | undefined) => (part ? part.split(':') : []);
  const before = groupsOf(head);
  // An IPv4 address at the end stands for two groups.
  const after = groupsOf(tail).flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  const first = groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}
