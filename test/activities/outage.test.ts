import { describe, expect, test } from '@jest/globals';
import { nextRelease } from '../../activities/outage.ts';

describe('the next release', () => {
  const open = (probeInMs: number, releasedMsAgo: number) =>
    nextRelease({ open: true, probeInMs, releasedMsAgo }, 5).count;
  const closed = (releasedMsAgo: number, drainPerS: number) =>
    nextRelease({ open: false, probeInMs: 0, releasedMsAgo }, drainPerS).count;

  test('is one probe when one is due, and none while the last one is on its way', () => {
    expect(open(5_000, Infinity)).toBe(0);
    expect(open(-1, Infinity)).toBe(1);
    expect(open(-1_000, 500)).toBe(0);
    expect(open(-1_000, 5_000)).toBe(1);
    // The probe never arrived: another one is sent.
    expect(open(-20_000, 10_001)).toBe(1);
  });

  test('follows the rate, and does not make up for a pause', () => {
    expect(closed(99, 10)).toBe(0);
    expect(closed(100, 10)).toBe(1);
    expect(closed(50, 0.5)).toBe(0);
    expect(closed(Infinity, 0.5)).toBe(1);
    expect(closed(50, 1_000)).toBe(50);
    expect(closed(Infinity, 1_000)).toBe(100);
  });
});
