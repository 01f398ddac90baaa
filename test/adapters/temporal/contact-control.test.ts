import { expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { createContactControl, type ContactControlDeps } from '../../../adapters/temporal/contact-control.ts';
import type { ContactUpload } from '../../../contract/ports/index.ts';

const by = { tenant: 'local', subject: 'ann' };
const upload = { format: 'csv', source: 'api' } as ContactUpload;

test('an upload whose workflow cannot be started is removed, unless its key finds it again', async () => {
  const removed: string[] = [];
  const away = { withDeadline: () => Promise.reject(new Error('away')) } as unknown as Client;
  const control = createContactControl({
    client: away,
    config: {},
    contactIngests: {
      receive: async (_: unknown, { idempotencyKey: key = 'none' }: ContactUpload) => ({
        ingest: { id: key, endedAt: null },
        isNew: true,
      }),
      remove: async ({ ingestId }: { ingestId: string }) => void removed.push(ingestId),
    },
  } as unknown as ContactControlDeps & { readReconciled: never });
  const bytes = (async function* () {})();
  await expect(control.ingest(by, { ...upload, idempotencyKey: 'k1' }, bytes)).rejects.toThrow();
  expect(removed).toEqual([]);
  await expect(control.ingest(by, upload, bytes)).rejects.toThrow();
  expect(removed).toEqual(['none']);
});
