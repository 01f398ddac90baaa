import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRemoteRuns } from '../../../adapters/postgres/remote/remote-runs.ts';
import type { RemoteRuns } from '../../../contract/ports/index.ts';
import { createLedgerHarness, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
let runs: RemoteRuns;
beforeAll(async () => {
  harness = await createLedgerHarness();
  runs = createRemoteRuns(harness.db);
});
afterAll(() => harness?.close());

const url = 'https://agents.example.com';
const newCall = () => ({ callId: crypto.randomUUID(), url });

test('of several attempts one may send, and a repeated begin finds the stored run', async () => {
  const { task } = await harness.newTask();
  const begun = await Promise.all(Array.from({ length: 5 }, () => runs.begin(task, { runId: 'r' }, newCall())));
  const callId = begun[0]?.callId ?? '';
  expect(new Set(begun.map((run) => run.callId))).toEqual(new Set([callId]));
  const sent = await Promise.all(begun.map(() => runs.markSending(task, callId)));
  expect(sent.filter(Boolean)).toHaveLength(1);
  expect(await runs.find(task)).toMatchObject({ state: 'sending', sentAt: expect.any(Date) });
});

test('a run belongs to the owner of its task', async () => {
  const { task } = await harness.newTask();
  const { callId } = await runs.begin(task, { runId: 'r' }, newCall());
  const other = { ...task, subject: 'another' };
  expect(await runs.find(other)).toBeUndefined();
  expect(await runs.markSending(other, callId)).toBe(false);
  await expect(runs.begin(other, { runId: 'r' }, newCall())).rejects.toThrow('no row');
});

test('what has ended begins again for another run of the workflow only', async () => {
  const { task } = await harness.newTask();
  const { callId } = await runs.begin(task, { runId: 'one' }, newCall());
  await runs.markSending(task, callId);
  await runs.markRunning(task, callId, { remoteId: 'there', contextId: 'c' });
  expect(await runs.begin(task, { runId: 'two' }, newCall())).toMatchObject({ state: 'running', remoteId: 'there' });
  await runs.markEnded(task, callId);
  expect(await runs.begin(task, { runId: 'one' }, newCall())).toMatchObject({ state: 'ended' });
  const again = await runs.begin(task, { runId: 'two' }, newCall());
  expect(again).toMatchObject({ state: 'begun', sentAt: undefined });
  expect(again).not.toHaveProperty('remoteId');
});

test('an attempt whose call another one has replaced changes nothing more', async () => {
  const { task } = await harness.newTask();
  const { callId } = await runs.begin(task, { runId: 'r' }, newCall());
  const next = crypto.randomUUID();
  await runs.markSending(task, callId);
  expect(await runs.renew(task, callId, next)).toBe(true);
  await runs.markSending(task, next);
  const late = [
    runs.markRunning(task, callId, { remoteId: 'there' }),
    runs.renew(task, callId, crypto.randomUUID()),
    runs.noteEnd(task, callId, { remoteId: 'there', contextId: 'c', asks: true }),
    runs.markEnded(task, callId),
  ];
  expect(await Promise.all(late)).toEqual([false, false, false, false]);
  expect(await runs.find(task)).toMatchObject({ state: 'sending', callId: next });
  expect(await runs.markRunning(task, next, { remoteId: 'there' })).toBe(true);
  // The database has stored it and its answer got lost.
  expect(await runs.markRunning(task, next, { remoteId: 'there' })).toBe(true);
});
