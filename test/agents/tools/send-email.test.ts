import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createSmtpTransport } from '../../../adapters/mail/smtp-transport.ts';
import { sendEmailTool } from '../../../agents/tools/acting/send-email.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { createFakeSmtp } from '../../support/fakes/fake-smtp.ts';
import { local } from '../../support/documents/put-document.ts';
import { until } from '../../support/until.ts';

let smtp: Awaited<ReturnType<typeof createFakeSmtp>>;
beforeAll(async () => {
  smtp = await createFakeSmtp();
});
afterAll(() => smtp?.close());
beforeEach(() => {
  smtp.mails.length = 0;
  smtp.failWith(undefined);
});

const from = 'Alfred <alfred@example.com>';
/**
 * For servers that are silent on purpose, in milliseconds. Other tests wait longer, because a busy machine may be
 * silent for a while.
 */
const shortTimeoutMs = 500;
const toolAt = (url: string, domains: string[] = [], timeoutMs = 20_000) =>
  sendEmailTool(createSmtpTransport({ url, connectMs: timeoutMs, silenceMs: timeoutMs }), { from, domains });
const mail = { to: ['anna@example.com'], subject: 'Your expenses', text: 'They are approved.' };

function run(
  input: Record<string, JsonValue> = {},
  { url = smtp.url, signal = AbortSignal.timeout(30_000), beforeSend = async () => {}, timeoutMs = 20_000 } = {},
) {
  let isSent = false;
  const context = {
    scope: local,
    taskId: 'task',
    receiptKey: 'task/1/call-1',
    signal,
    beforeSend: async () => {
      isSent = true;
      await beforeSend();
    },
  };
  return { done: toolAt(url, [], timeoutMs).run({ ...mail, ...input }, context), isSent: () => isSent };
}
const untilDisconnected = () => until('every connection is closed', () => smtp.connections() === 0);

test('an email goes to all its recipients, with the configured sender', async () => {
  const { done, isSent } = run({ cc: ['cleo@example.org'], replyTo: 'boss@example.com', text: 'Grüße\n.\nAnna' });
  const { output, summary } = await done;
  expect(isSent()).toBe(true);
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
  await untilDisconnected();
});

test('every attempt at a call has the same Message-ID', async () => {
  const ids = [await run().done, await run().done].map(({ output }) => (output as { messageId: string }).messageId);
  expect(ids[0]).toBe(ids[1]);
});

test('only single addresses and single lines get into the headers', async () => {
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

test('only allowed domains can be written to', () => {
  const tool = toolAt(smtp.url, ['example.com']);
  expect(() => tool.check?.(mail)).not.toThrow();
  expect(() => tool.check?.({ ...mail, to: ['anna@EXAMPLE.com'] })).not.toThrow();
  for (const stranger of ['eve@example.org', 'eve@sub.example.com', 'eve@notexample.com']) {
    const refused = () => tool.check?.({ ...mail, cc: [stranger] });
    // The model reads who it is about; history and log do not.
    expect(refused).toThrow('may not write to 1 of these addresses');
    expect(refused).not.toThrow(stranger);
    expect(refused).toThrow(expect.objectContaining({ fullMessage: expect.stringContaining(stranger) }));
  }
});

test('rejected recipients are reported, and the others get the mail', async () => {
  smtp.failWith({ recipients: ['gone@example.com'], status: 550 });
  const { output, summary } = await run({ to: ['gone@example.com', 'anna@example.com'] }).done;
  expect(output).toMatchObject({
    accepted: ['anna@example.com'],
    rejected: [{ address: 'gone@example.com', reason: expect.stringMatching(/^550/) }],
  });
  expect(summary).toBe('email sent to anna@example.com; 1 not accepted');
  expect(smtp.mails[0]?.to).toEqual(['anna@example.com']);
});

test('a temporary refusal is retryable', async () => {
  for (const fault of [{ message: 451 }, { recipients: ['anna@example.com'], status: 450 }]) {
    smtp.failWith(fault);
    const status = 'message' in fault ? fault.message : fault.status;
    await expect(run().done).rejects.toMatchObject({
      code: 'tool_failed',
      message: expect.stringContaining(`The mail server answered ${status}`),
    });
  }
});

test('a permanent refusal is final and reported to the model with its reason', async () => {
  for (const fault of [{ message: 554 }, { recipients: ['anna@example.com'], status: 550 }]) {
    smtp.failWith(fault);
    await expect(run().done).rejects.toMatchObject({
      code: 'destination_refused',
      message: expect.stringMatching(/^The mail server refused it with 55[04]( \d\.\d\.\d)?\.$/),
      fullMessage: expect.stringMatching(/^The mail server refused it: 55[04] /),
    });
  }
  smtp.failWith(undefined);
  const wrongLogin = run({}, { url: smtp.url.replace('hunter2', 'wrong') });
  await expect(wrongLogin.done).rejects.toMatchObject({ code: 'destination_refused' });
  expect(wrongLogin.isSent()).toBe(false);
});

test('a connection that breaks while the server has the message leaves the outcome unknown', async () => {
  for (const fault of ['cut after the message', 'silent after the message'] as const) {
    smtp.failWith(fault);
    await expect(run({}, { timeoutMs: shortTimeoutMs }).done).rejects.toMatchObject({ code: 'effect_unknown' });
    await untilDisconnected();
  }
});

test('a connection that fails before the message is sent is known to have sent nothing', async () => {
  smtp.failWith('cut at the recipient');
  await expect(run().done).rejects.toMatchObject({ code: 'tool_failed' });
  smtp.failWith('silent');
  const silent = run({}, { timeoutMs: shortTimeoutMs });
  await expect(silent.done).rejects.toMatchObject({ code: 'tool_failed' });
  const refused = run({}, { url: 'smtp://127.0.0.1:1' });
  await expect(refused.done).rejects.toMatchObject({
    code: 'tool_failed',
    message: 'The mail server could not be reached or broke off (ECONNREFUSED).',
  });
  expect([silent.isSent(), refused.isSent()]).toEqual([false, false]);
});

test('nothing is sent when beforeSend throws', async () => {
  const beforeSend = async () => {
    throw new Error('not now');
  };
  await expect(run({}, { beforeSend }).done).rejects.toThrow('not now');
  expect(smtp.mails).toEqual([]);
  await untilDisconnected();
});

test('an abort rejects at once and closes the connection', async () => {
  const reason = new Error('the task was cancelled');
  await expect(run({}, { signal: AbortSignal.abort(reason) }).done).rejects.toBe(reason);
  smtp.failWith('silent');
  const stop = new AbortController();
  const { done } = run({}, { signal: stop.signal });
  stop.abort(reason);
  await expect(done).rejects.toBe(reason);
  await untilDisconnected();
  expect(smtp.mails).toEqual([]);
});
