import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { createWebhookReceiver, type WebhookReceiver } from '../support/fakes/webhook-receiver.ts';
import { until } from '../support/until.ts';
import { alfred } from './run-alfred.ts';

let harness: ApiHarness;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await createWebhookReceiver();
  harness = await createApiHarness({ ALFRED_OUTBOUND_ALLOW: '127.0.0.1' });
});
afterAll(async () => {
  await harness?.close();
  await receiver?.down();
});

const callback = (...args: string[]) =>
  alfred(['tasks', 'callback', ...args], { ALFRED_URL: harness.url, NO_COLOR: '1' });

test('tasks callback shows the delivery of a task’s webhook, and --again repeats it', async () => {
  harness.script([{ text: ['Done.'] }]);
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const { id } = await harness.start({ callback: { url: `${receiver.url}/told`, secret } });
  await until(
    'the callback is delivered',
    async () => (await harness.callbacks.get({ ...harness.scope, taskId: id }))?.state === 'delivered',
  );

  const shown = await callback(id);
  expect({ code: shown.code, stderr: shown.stderr }).toEqual({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(/^to +http:\/\/127\.0\.0\.1:\d+\/told$/m);
  expect(shown.stdout).toMatch(/^state +delivered$/m);
  expect(shown.stdout).toMatch(/^delivery +1 delivery, 1 attempt$/m);

  const again = await callback(id, '--again');
  expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: 'It is being delivered again.\n' });
  await until('a second delivery is received', () => receiver.received.length >= 2);
  expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([`${id}.1`, `${id}.2`]);
  const json = await callback(id, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ url: `${receiver.url}/told`, deliveries: 2 });
});

const tasks = (...args: string[]) => alfred(['tasks', ...args], { ALFRED_URL: harness.url, NO_COLOR: '1' });

test('tasks cancel --undo of a task that has ended says that nothing was taken back, and tasks undo does it', async () => {
  harness.tool(
    'order',
    async (_, { beforeSend }) => {
      await beforeSend();
      return { output: {}, summary: 'ordered a chair' };
    },
    {
      effect: 'write',
      undo: async (_, __, { beforeSend }) => {
        await beforeSend();
        return { summary: 'returned the chair' };
      },
    },
  );
  harness.script([{ calls: [{ tool: 'order', arguments: {} }] }, { text: ['Done.'] }]);
  const { id, handle } = await harness.start();
  await handle.result();
  const late = await tasks('cancel', id, '--undo');
  expect(late).toMatchObject({ code: 1, stdout: expect.stringContaining('The task is completed.') });
  expect(late.stderr).toContain(`nothing was taken back. To do so: alfred tasks undo ${id}`);

  const undone = await tasks('undo', id);
  expect(undone).toMatchObject({ code: 0, stdout: expect.stringMatching(/order +undone +ordered a chair/) });
  expect(await tasks('undo', id)).toMatchObject({ code: 0 });
  harness.script([{ text: ['Done.'] }]);
  const other = await harness.start();
  await other.handle.result();
  expect(await tasks('undo', other.id)).toMatchObject({
    code: 1,
    stderr: `The task ${other.id} has changed nothing outside.\n`,
  });
});

test('for a task without a callback, the command says so', async () => {
  harness.script([{ text: ['Done.'] }]);
  const { id } = await harness.start();
  expect(await callback(id)).toMatchObject({ code: 1, stdout: '', stderr: `The task ${id} has no callback.\n` });
});

test('tasks events shows whole why a model call and a task failed', async () => {
  const words = `openai answered 400. It says: ${'The parameter max_tokens is not supported. '.repeat(5).trim()}`;
  harness.script([{ error: new AlfredError('model_rejected', words) }]);
  const { id } = await harness.start();
  const { code, stdout } = await tasks('events', id, '--follow');
  expect(code).toBe(0);
  const lines = stdout.split('\n').filter((line) => line.includes('model_rejected'));
  expect(lines.map((line) => line.replace(/^ +\d+ +\S+ +/, ''))).toEqual([
    `model.failed        model_rejected: ${words}`,
    `task.failed         model_rejected: ${words}`,
  ]);
});
