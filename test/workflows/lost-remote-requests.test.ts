import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteHarness, type RemoteHarness } from '../support/a2a/remote-harness.ts';
import { startSampleAgent, type SampleAgent } from '../support/a2a/sample-agent.ts';

/** A refusal of a server that takes requests again soon. */
const busy = { status: 503, headers: { 'retry-after': '0.01' } };

let polled: SampleAgent;
let harness: RemoteHarness;

beforeAll(async () => {
  polled = await startSampleAgent({ streaming: false });
  const common = { protocol: 'a2a', description: 'Answers.', url: polled.url, costPerCallUsd: 0.1 };
  harness = await createRemoteHarness({ slow: common, again: { ...common, repeatable: true } });
}, 120_000);
beforeEach(() => {
  polled.fault = () => undefined;
  polled.messages.length = polled.requests.length = 0;
});
afterAll(async () => {
  await harness?.close();
  await polled?.close();
});

describe('a request whose answer got lost', () => {
  test('is found by its key, and not sent again', async () => {
    polled.fault = (method) => (method === 'SendMessage' && polled.count(method) === 1 ? 'lost' : undefined);
    const { row } = await harness.runToEnd('slow', 'Hello');
    expect(row).toMatchObject({ status: 'completed', result: { text: 'You said: Hello' }, usage: { costUsd: 0.1 } });
    expect(polled.count('SendMessage')).toBe(1);
    expect(polled.count('ListTasks')).toBeGreaterThan(0);
  });

  test('is found also when attempts before were turned away', async () => {
    polled.fault = (method) => {
      if (method !== 'SendMessage' || polled.count(method) > 5) return undefined;
      return polled.count(method) < 5 ? busy : 'lost';
    };
    const { row } = await harness.runToEnd('slow', 'Hello');
    expect(row).toMatchObject({ status: 'completed', result: { text: 'You said: Hello' }, usage: { costUsd: 0.1 } });
    expect(polled.count('SendMessage')).toBe(5);
    expect(polled.messages).toHaveLength(1);
  });

  test('that cannot be found ends the task instead of a second payment', async () => {
    polled.fault = (method) => {
      if (method === 'ListTasks') return { body: '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}' };
      return method === 'SendMessage' ? 'lost' : undefined;
    };
    const { row } = await harness.runToEnd('slow', 'Hello');
    expect(row).toMatchObject({ status: 'failed', error: { code: 'effect_unknown' }, usage: { costUsd: 0.1 } });
    expect(row.error?.message).toContain('not sent again');
    expect(polled.count('SendMessage')).toBe(1);
  });

  test('is sent again with the same key where the operator calls that harmless', async () => {
    polled.fault = (method) => {
      if (method === 'ListTasks') return { body: '{}' };
      return method === 'SendMessage' && polled.count(method) === 1 ? 'lost' : undefined;
    };
    const { id, row } = await harness.runToEnd('again', 'Hello');
    expect(row.status).toBe('completed');
    expect(polled.messages).toMatchObject([{ messageId: id }, { messageId: id }]);
  });
});
