import { expect, test } from '@jest/globals';
import { sourceOf } from '../../runtime/peer.ts';

const from = (remoteAddress: string, forwarded?: string) => ({
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  raw: { socket: { remoteAddress } },
});

test('what a proxy says counts when the proxy is ours, and the last one that is not ours is the source', () => {
  expect(sourceOf(from('203.0.113.9'), [])).toBe('203.0.113.9');
  expect(sourceOf(from('203.0.113.9', '198.51.100.1'), [])).toBe('203.0.113.9');
  expect(sourceOf(from('10.0.0.2', '192.0.2.7, 198.51.100.1, 10.0.0.3'), ['10.0.0.0/8'])).toBe('198.51.100.1');
  expect(sourceOf(from('::ffff:10.0.0.2', '198.51.100.1'), ['10.0.0.0/8'])).toBe('198.51.100.1');
});
