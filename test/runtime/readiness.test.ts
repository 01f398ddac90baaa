import { expect, test } from '@jest/globals';
import { createReadiness } from '../../runtime/readiness.ts';

test('a warning is shown and does not make a process unready', async () => {
  const readiness = createReadiness({ postgres: async () => {} });
  let fault: string | undefined = 'No embedding model is in /models.';
  readiness.addWarning('embeddingModel', async () => fault);
  readiness.markServing();
  expect(await readiness.read()).toMatchObject({
    status: 'ready',
    dependencies: { postgres: { status: 'ok' }, embeddingModel: { status: 'degraded', detail: fault } },
  });
  fault = undefined;
  expect((await readiness.read()).dependencies['embeddingModel']).toMatchObject({ status: 'ok' });
});

test('a warning that cannot be told counts as one', async () => {
  const readiness = createReadiness({});
  readiness.addWarning('embeddingModel', () => Promise.reject(new Error('no such folder')));
  readiness.markServing();
  expect(await readiness.read()).toEqual({
    status: 'ready',
    dependencies: { embeddingModel: { status: 'degraded', detail: 'no such folder' } },
  });
});
