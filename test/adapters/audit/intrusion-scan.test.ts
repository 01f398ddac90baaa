import { expect, test } from '@jest/globals';
import { createIntrusionScan } from '../../../adapters/audit/intrusion-scan.ts';
import type { ObservedEntry } from '../../../contract/rules/intrusion/signals.ts';

const failed = (tenant: string): ObservedEntry => ({
  atMs: 0,
  tenant,
  subject: '',
  kind: null,
  action: 'sign_in',
  resourceId: null,
  outcome: 'refused',
  code: 'key_invalid',
  count: 40,
  address: '203.0.113.9',
  country: null,
  client: null,
});

test('signals are given once, also while their entries wait for the database', async () => {
  const sent: unknown[] = [];
  const counted: unknown[] = [];
  const scan = createIntrusionScan({
    rows: {
      exclusively: (run) => run(),
      entriesSince: async () => [failed('acme'), failed('other')],
      originsBefore: async () => [],
      canariesAmong: async () => [],
      volumesAt: async () => [],
      signalsSince: async () => [],
    },
    audit: { record: () => Promise.reject(new Error('the connection broke')) },
    log: { warn: () => undefined },
    metrics: { intrusionSignals: { inc: (labels: unknown) => counted.push(labels) } } as never,
    hook: {
      url: 'https://siem.example.com',
      secret: 's',
      webhooks: {
        send: async ({ body }) => {
          sent.push((body as { data: { tenant: string } }).data.tenant);
          return { status: 200 } as never;
        },
      },
    },
  });
  await scan.scan();
  await scan.scan();
  expect([sent, counted]).toEqual([
    ['acme', 'other'],
    [{ rule: 'failed_sign_ins' }, { rule: 'failed_sign_ins' }],
  ]);
});
