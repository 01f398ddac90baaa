import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createCallSignal } from '../../../activities/model/call-signal.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { until } from '../../support/until.ts';

let call: ReturnType<typeof createCallSignal>;
afterEach(() => call.release());

const hour = 3_600_000;

describe('a model call', () => {
  test.each(['CANCELLED', 'WORKER_SHUTDOWN'])('stops on %s', (reason) => {
    const activity = new AbortController();
    call = createCallSignal({ activity: activity.signal, limitMs: hour, whyUnwanted: async () => undefined });
    activity.abort(new Error(reason));
    expect(call.signal.reason).toMatchObject({ message: reason });
  });

  test.each(['NOT_FOUND', 'TIMED_OUT', 'PAUSED', 'RESET'])(
    'goes on after %s, until the ledger says that nothing waits for it',
    async (reason) => {
      const activity = new AbortController();
      const ledger: { reason?: AlfredError } = {};
      let questions = 0;
      const whyUnwanted = async () => {
        questions++;
        if (questions === 1) throw new Error('the database is away');
        return ledger.reason;
      };
      call = createCallSignal({ activity: activity.signal, limitMs: hour, whyUnwanted });
      activity.abort(new Error(reason));
      await until('the ledger was asked again', () => questions > 1);
      await turn();
      expect(call.signal.aborted).toBe(false);
      ledger.reason = new AlfredError('superseded');
      await until('the call stops', () => call.signal.aborted);
      expect(call.signal.reason).toBe(ledger.reason);
    },
  );

  test('that Temporal has stopped waiting for stops all the same when its worker shuts down', () => {
    const [activity, draining] = [new AbortController(), new AbortController()];
    const whyUnwanted = async () => undefined;
    call = createCallSignal({ activity: activity.signal, draining: draining.signal, limitMs: hour, whyUnwanted });
    activity.abort(new Error('NOT_FOUND'));
    expect(call.signal.aborted).toBe(false);
    draining.abort(new Error('WORKER_SHUTDOWN'));
    expect(call.signal.reason).toMatchObject({ message: 'WORKER_SHUTDOWN' });
  });

  test('that takes too long stops as timed out', async () => {
    const { signal } = new AbortController();
    call = createCallSignal({ activity: signal, limitMs: 5, whyUnwanted: async () => undefined });
    await until('the call stops', () => call.signal.aborted);
    expect(call.signal.reason).toMatchObject({ code: 'timed_out' });
  });
});
