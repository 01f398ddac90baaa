import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { askModel, type AskDeps, type ModelCall } from '../../../activities/model/ask-model.ts';
import { createModelGate } from '../../../adapters/postgres/ledger/model-gate.ts';
import { openGate } from '../../../activities/model/prescribed-call.ts';
import type { CallLeases, ModelEvent, ModelFacts, ModelProvider } from '../../../contract/ports/index.ts';
import type { MessageHead, TaskRef } from '../../../contract/references.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { rethrowMarked } from '../../../runtime/database/database-errors.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { completedCall, createLedgerHarness, run, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';

// Two attempts at one call, with the real ledger. How a call goes in a task is tested in test/workflows.

let harness: LedgerHarness;
let task: TaskRef;
let head: MessageHead;
/** What a look at the leases of earlier attempts finds. */
let leaseState: Awaited<ReturnType<CallLeases['stateOf']>>;

beforeAll(async () => {
  harness = await createLedgerHarness();
});
beforeEach(async () => {
  ({ task, head } = await harness.newTask({ maxCostUsd: 10 }));
  leaseState = 'leased';
});
afterAll(() => harness?.close());

const facts: ModelFacts = {
  name: 'scripted:x',
  price: { input: 1, cacheRead: 1, cacheWrite: 1, output: 1 },
  contextTokens: 10_000,
  maxOutputTokens: 100,
};

type Stream = (signal: AbortSignal) => AsyncIterable<ModelEvent>;
const providerOf = (stream: Stream): ModelProvider => ({ name: 'scripted', stream: (_, signal) => stream(signal) });

const neverAsked = () => {
  throw new Error('The model was asked again.');
};

function ask(
  provider: ModelProvider,
  { signal = new AbortController().signal, facts: model = facts, ...changes }: Asked = {},
) {
  const deps: AskDeps = {
    ledger: harness.ledger,
    events: harness.events,
    messageStore: harness.messageStore,
    log: harness.log,
    gate: openGate,
    metrics: createMetrics(),
    dayLimitsOf: async () => [],
    leases: { open: () => {}, hold: () => () => {}, stateOf: async () => leaseState },
    workflows: { forgetWorker: async () => {} },
    ...changes,
  };
  const call: ModelCall = {
    task,
    at: { ...run, step: 1, attempt: 1 },
    purpose: 'turn',
    facts: model,
    provider,
    request: { model: 'x', instructions: '', messages: [], tools: [], maxOutputTokens: 100, idempotencyKey: 'k' },
    estimatedTokens: 10,
    upperBoundTokens: 100,
    parent: head,
  };
  return askModel(deps, call, signal);
}
type Asked = Partial<AskDeps> & { signal?: AbortSignal; facts?: ModelFacts };

test('an attempt whose text is refused, because a lost one has answered late, returns that answer', async () => {
  const lost = await harness.begin(task);
  leaseState = 'free';
  const paid = await ask(
    providerOf(async function* (signal): AsyncIterable<ModelEvent> {
      yield { type: 'text', text: 'My own ' };
      await harness.ledger.settleModelCall(task, completedCall(lost, head, 'late'));
      yield { type: 'text', text: 'answer.' };
      if (!signal.aborted) await once(signal, 'abort');
      yield { type: 'uncounted' };
      signal.throwIfAborted();
    }),
  );
  expect(paid).toEqual(await harness.ledger.findPaidCall(task, 1, 'turn'));
  expect(await harness.outcomesOf(task)).toEqual(['completed', 'superseded']);
});

test('an attempt whose text is refused, because another one streams, tells its followers that the step goes on', async () => {
  const asked = ask(
    providerOf(async function* (signal): AsyncIterable<ModelEvent> {
      yield { type: 'text', text: 'My own ' };
      await harness.begin(task, { attempt: 2 });
      yield { type: 'text', text: 'answer.' };
      if (!signal.aborted) await once(signal, 'abort');
      signal.throwIfAborted();
    }),
  );
  await expect(asked).rejects.toMatchObject({ code: 'model_unavailable' });
  const { rows: failed } = await harness.pool.query(
    `select data from task_events where task_id = $1 and type = 'model.failed'`,
    [task.taskId],
  );
  expect(failed.map((row) => row['data'])).toMatchObject([{ willRetry: true }]);
});

test('the first attempt after a wait of the task waits for a call that still runs, and takes its answer', async () => {
  const running = await harness.begin(task);
  const asked = ask(providerOf(neverAsked));
  await harness.ledger.settleModelCall(task, completedCall(running, head, 'from before the wait'));
  expect(await asked).toEqual(await harness.ledger.findPaidCall(task, 1, 'turn'));
  expect(await harness.outcomesOf(task)).toEqual(['completed']);
});

test.each([
  ['the probe of an open circuit', {}, 'scripted:down'],
  ['a call of its rate limit', { requestsPerMinute: 1 }, 'scripted:limited'],
])('an attempt that waits for another one does not hold %s meanwhile', async (_, limits, name) => {
  const gate = createModelGate(harness.db, { failures: 1, probeMs: 60_000 });
  if (name === 'scripted:down') {
    await gate.recordFailure(name);
    await harness.pool.query('update model_gates set probe_at = now() where model = $1', [name]);
  }
  const model = { ...facts, name, ...limits };
  const running = await harness.begin(task);
  const waits = Promise.withResolvers<void>();
  const asked = ask(providerOf(neverAsked), {
    facts: model,
    gate,
    leases: {
      open: () => {},
      hold: () => () => {},
      async stateOf() {
        waits.resolve();
        return 'leased';
      },
    },
  });
  await waits.promise;
  expect(await gate.enter(model, 10)).toMatchObject({ open: true });
  // One call has it at a time.
  expect(await gate.enter(model, 10)).toMatchObject({ open: false });
  await harness.ledger.settleModelCall(task, completedCall(running, head, 'from before the wait'));
  expect(await asked).toEqual(await harness.ledger.findPaidCall(task, 1, 'turn'));
});

test('a call that does not fit into its budget takes nothing from the limits of its model', async () => {
  const gate = createModelGate(harness.db, { failures: 1, probeMs: 60_000 });
  const model = { ...facts, name: 'scripted:once', requestsPerMinute: 1 };
  ({ task, head } = await harness.newTask({ maxTokens: 1 }));
  await expect(ask(providerOf(neverAsked), { facts: model, gate })).rejects.toMatchObject({ code: 'budget_exceeded' });
  expect(await gate.enter(model, 10)).toMatchObject({ open: true });
});

test('an older attempt that stood still before it began takes nothing over, and takes the answer', async () => {
  const { ledger } = harness;
  let newer: ReturnType<typeof completedCall> | undefined;
  const asked = ask(providerOf(neverAsked), {
    ledger: {
      ...ledger,
      async beginModelCall(ref, call) {
        if (newer) return ledger.beginModelCall(ref, call);
        newer = completedCall(await harness.begin(task, { attempt: 2 }), head, 'of the newer one');
        const begun = await ledger.beginModelCall(ref, call);
        await ledger.settleModelCall(task, newer);
        return begun;
      },
    },
  });
  expect(await asked).toEqual(await ledger.findPaidCall(task, 1, 'turn'));
  expect(await harness.outcomesOf(task)).toEqual(['completed']);
});

test('a failure is recorded when the database is back, and its count decides whether it was the last', async () => {
  const { ledger } = harness;
  let isAway = true;
  const asked = ask(
    providerOf(() => {
      throw new AlfredError('model_rejected', 'No.');
    }),
    {
      ledger: {
        ...ledger,
        async failModelCall(ref, call) {
          if (!isAway) return ledger.failModelCall(ref, call);
          isAway = false;
          return rethrowMarked(new Error('Connection terminated'));
        },
      },
    },
  );
  await expect(asked).rejects.toMatchObject({ code: 'model_rejected', failures: 1 });
  expect(await harness.outcomesOf(task)).toEqual(['model_rejected']);
});

test('a denied request is tried again until its attempts are used up, unless the circuit opens', async () => {
  const seen: number[] = [];
  let isOpen = false;
  const gate = {
    ...openGate,
    async recordDenial(_: string, denials: number) {
      seen.push(denials);
      return isOpen;
    },
  };
  const denied = () =>
    ask(
      providerOf(() => {
        throw new AlfredError('model_denied', 'The provider answered 403.');
      }),
      { gate },
    );
  for (const failures of [1, 2]) await expect(denied()).rejects.toMatchObject({ code: 'model_denied', failures });
  isOpen = true;
  await expect(denied()).rejects.toMatchObject({
    code: 'model_outage',
    message: 'The provider answered 403.',
    details: { reason: 'outage', because: 'auth' },
  });
  expect(seen).toEqual([1, 2, 3]);
});

test('a call that opens the circuit, or that was the probe, fails with the words of the provider', async () => {
  const asked = ask(
    providerOf(() => {
      throw new AlfredError('model_unavailable', 'openai answered 500 (server_error).');
    }),
    { gate: { ...openGate, recordFailure: () => Promise.resolve(true) } },
  );
  const message = 'openai answered 500 (server_error).';
  await expect(asked).rejects.toMatchObject({ code: 'model_outage', message, details: { reason: 'outage' } });
});

test.each([
  ['is not the last attempt of several', 'model_unavailable', 0],
  ['is final when its code allows one attempt', 'model_rejected', undefined],
] as const)('a failure that cannot be recorded %s', async (_, code, failures) => {
  const refusing = { failModelCall: () => Promise.reject(new Error('a mistake in the statement')) };
  const asked = ask(
    providerOf(() => {
      throw new AlfredError(code, 'No.');
    }),
    { ledger: { ...harness.ledger, ...refusing } },
  );
  await expect(asked).rejects.toMatchObject({ code, failures });
});
