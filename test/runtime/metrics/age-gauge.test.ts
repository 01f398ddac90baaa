import { afterEach, expect, jest, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createAgeGauge } from '../../../runtime/metrics/age-gauge.ts';

afterEach(() => void jest.useRealTimers());

test('an age grows until the next report, and is hidden when no report comes', async () => {
  jest.useFakeTimers({ now: 1_000_000_000 });
  const registry = new Registry();
  const gauge = createAgeGauge<'file' | 'vector'>({
    name: 'lag',
    help: '-',
    labelNames: ['of'],
    registers: [registry],
  });
  const shownLines = async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('lag'));
  expect(await shownLines()).toEqual([]);
  gauge.report('file', new Date(Date.now() - 10_000));
  gauge.report('vector', undefined);
  expect(await shownLines()).toEqual(['lag{of="file"} 10', 'lag{of="vector"} 0']);
  jest.setSystemTime(Date.now() + 60_000);
  expect(await shownLines()).toEqual(['lag{of="file"} 70', 'lag{of="vector"} 0']);
  gauge.report('vector', undefined);
  jest.setSystemTime(Date.now() + 4.5 * 60_000);
  expect(await shownLines()).toEqual(['lag{of="vector"} 0']);
});
