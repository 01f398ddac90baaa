import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createMailServer } from '../../../adapters/mail/smtp-transport.ts';
import { sendEmailTool } from '../../../agents/tools/acting/send-email.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { createFakeSmtp } from '../../support/fakes/fake-smtp.ts';
import { local } from '../../support/documents/put-document.ts';
import { until } from '../../support/until.ts';

let smtp: Awaited<ReturnType<typeof createFakeSmtp>>;
beforeAll(async () => void (smtp = await createFakeSmtp()));
afterAll(() => smtp?.close());
beforeEach(() => {
  smtp.mails.length = 0;
  smtp.fails(undefined);
});

const from = 'Alfred <alfred@example.com>';
/** Only where a server is silent on purpose is there little patience: a busy machine may be silent for a while. */
const little = 500;
const toolAt = (url: string, domains: string[] = [], patienceMs = 20_000) =>
  sendEmailTool(createMailServer({ url, connectMs: patienceMs, silenceMs: patienceMs }), { from, domains });
const mail = { to: ['anna@example.com'], subject: 'Your expenses', text: 'They are approved.' };

function run(
  input: Record<string, JsonValue> = {},
  { url = smtp.url, signal = AbortSignal.timeout(30_000), beforeSend = async () => {}, patienceMs = 20_000 } = {},
) {
  let left = false;
  const context = {
    ...{ scope: local, taskId: 'task', receiptKey: 'task/1/call-1', signal },
    beforeSend: async () => {
      left = true;
      await beforeSend();
    },
  };
  return { done: toolAt(url, [], patienceMs).run({ ...mail, ...input }, context), left: () => left };
}
const disconnected = () => until('every connection is closed', () => smtp.connections() === 0);

test('an email goes to everybody it names, with the sender of the configuration', async () => {
  const { done, left } = run({ cc: ['cleo@example.org'], replyTo: 'boss@example.com', text: 'Grüße\n.\nAnna' });
  const { output, summary } = await done;
  expect(left()).toBe(true);
  expect({ output, summary }).toEqual({
    output: {
      accepted: ['anna@example.com', 'cleo@example.org'],
      rejected: [],
      messageId: expect.stringMatching(/^<[\w-]{32}@example\.com>$/),
    },
    summary: 'email sent to anna@example.com and 1 more',
  });
  expect(smtp.mails).toHaveLength(1);
  expect(smtp.mails[0]).toMatchObject({
    from: 'alfred@example.com',
    to: ['anna@example.com', 'cleo@example.org'],
    user: 'alfred',
  });
  const raw = smtp.mails[0]?.raw ?? '';
  for (const header of [
    'From: Alfred <alfred@example.com>',
    'To: anna@example.com',
    'Cc: cleo@example.org',
    'Reply-To: boss@example.com',
    'Subject: Your expenses',
    'Auto-Submitted: auto-generated',
    `Message-ID: ${(output as { messageId: string }).messageId}`,
  ])
    expect(raw).toContain(header);
  await disconnected();
});

test('the same call has the same Message-ID', async () => {
  const ids = [await run().done, await run().done].map(({ output }) => (output as { messageId: string }).messageId);
  expect(ids[0]).toBe(ids[1]);
});

test('nothing that is no single address or no single line gets into the headers', async () => {
  const wrong: Record<string, JsonValue>[] = [
    { to: [] },
    { to: ['anna@example.com, eve@example.com'] },
    { to: ['Anna <anna@example.com>'] },
    { to: ['anna@example.com\r\nBcc: eve@example.com'] },
    { replyTo: 'a@example.com\nBcc: eve@example.com' },
    { subject: 'Hello\r\nBcc: eve@example.com' },
    { subject: '' },
    { to: Array.from({ length: 21 }, (_, i) => `a${i}@example.com`) },
    { bcc: ['eve@example.com'] },
  ];
  for (const input of wrong) await expect(run(input).done).rejects.toMatchObject({ code: 'invalid_request' });
  expect(smtp.mails).toEqual([]);
});

test('only domains that are allowed are written to', () => {
  const tool = toolAt(smtp.url, ['example.com']);
  expect(() => tool.check?.(mail)).not.toThrow();
  expect(() => tool.check?.({ ...mail, to: ['anna@EXAMPLE.com'] })).not.toThrow();
  for (const stranger of ['eve@example.org', 'eve@sub.example.com', 'eve@notexample.com'])
    expect(() => tool.check?.({ ...mail, cc: [stranger] })).toThrow(`may not write to ${stranger}`);
});

test('recipients that the server does not take are told, the others get it', async () => {
  smtp.fails({ recipients: ['gone@example.com'], status: 550 });
  const { output, summary } = await run({ to: ['gone@example.com', 'anna@example.com'] }).done;
  expect(output).toMatchObject({
    accepted: ['anna@example.com'],
    rejected: [{ address: 'gone@example.com', reason: expect.stringMatching(/^550/) }],
  });
  expect(summary).toBe('email sent to anna@example.com; 1 not accepted');
  expect(smtp.mails[0]?.to).toEqual(['anna@example.com']);
});

test('a server that says later was sent nothing, and is asked again', async () => {
  for (const fault of [{ message: 451 }, { recipients: ['anna@example.com'], status: 450 }]) {
    smtp.fails(fault);
    const status = 'message' in fault ? fault.message : fault.status;
    await expect(run().done).rejects.toMatchObject({
      code: 'tool_failed',
      message: expect.stringContaining(`The mail server answered: ${status}`),
    });
  }
});

test('a server that says never is not asked again, and the model reads why', async () => {
  for (const fault of [{ message: 554 }, { recipients: ['anna@example.com'], status: 550 }]) {
    smtp.fails(fault);
    await expect(run().done).rejects.toMatchObject({
      code: 'destination_refused',
      message: expect.stringMatching(/^The mail server refused it: 55[04] /),
    });
  }
  smtp.fails(undefined);
  const stranger = run({}, { url: smtp.url.replace('hunter2', 'wrong') });
  await expect(stranger.done).rejects.toMatchObject({ code: 'destination_refused' });
  expect(stranger.left()).toBe(false);
});

test('a connection that breaks while the server has the message leaves the outcome unknown', async () => {
  for (const fault of ['cut after the message', 'silent after the message'] as const) {
    smtp.fails(fault);
    await expect(run({}, { patienceMs: little }).done).rejects.toMatchObject({ code: 'effect_unknown' });
    await disconnected();
  }
});

test('one that breaks before the message was sent, or never stands, is known not to have sent it', async () => {
  smtp.fails('cut at the recipient');
  await expect(run().done).rejects.toMatchObject({ code: 'tool_failed' });
  smtp.fails('silent');
  const silent = run({}, { patienceMs: little });
  await expect(silent.done).rejects.toMatchObject({ code: 'tool_failed' });
  const refused = run({}, { url: 'smtp://127.0.0.1:1' });
  await expect(refused.done).rejects.toMatchObject({
    code: 'tool_failed',
    message: 'The mail server could not be reached or broke off (ECONNREFUSED).',
  });
  expect([silent.left(), refused.left()]).toEqual([false, false]);
});

test('what may not leave is not sent', async () => {
  const beforeSend = async () => {
    throw new Error('not now');
  };
  await expect(run({}, { beforeSend }).done).rejects.toThrow('not now');
  expect(smtp.mails).toEqual([]);
  await disconnected();
});

test('an abort ends it at once and closes the connection', async () => {
  const reason = new Error('the task was cancelled');
  await expect(run({}, { signal: AbortSignal.abort(reason) }).done).rejects.toBe(reason);
  smtp.fails('silent');
  const stop = new AbortController();
  const { done } = run({}, { signal: stop.signal });
  stop.abort(reason);
  await expect(done).rejects.toBe(reason);
  await disconnected();
  expect(smtp.mails).toEqual([]);
});
