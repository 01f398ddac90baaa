import { expect, test } from '@jest/globals';
import { countedAddress } from '../../runtime/counted-address.ts';

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['203.0.113.9:4711', '203.0.113.9'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::5', '2001:db8:1:2::/64'],
  ['[2001:db8:1:2::5]:4711', '2001:db8:1:2::/64'],
  ['2001:db8::5', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['64:ff9b::203.0.113.9', '64:ff9b:0:0::/64'],
])('requests of %s count for %s', (ip, counted) => {
  expect(countedAddress(ip, '198.51.100.1')).toBe(counted);
});

test('what names no address counts for the connection', () => {
  for (const ip of ['', 'unknown', '_hidden', '203.0.113.9, 10.0.0.1', '1.2.3', 'x'.repeat(10_000)])
    expect(countedAddress(ip, '198.51.100.1')).toBe('198.51.100.1');
  expect(countedAddress('', '')).toBe('unknown');
});
