import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createOutbound, type OutboundCall } from '../../../adapters/outbound/outbound.ts';
import { createWebhookReceiver, type WebhookReceiver } from '../../support/fakes/webhook-receiver.ts';

let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await createWebhookReceiver();
});
afterAll(() => receiver.down());
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answerWithStatus(200, {}, 'welcome');
});

const loopback = ['127.0.0.0/8', '::1'];
type Options = Partial<Parameters<typeof createOutbound>[0]>;
const call = (url: string, options: Options = {}, more: Partial<OutboundCall> = {}) =>
  createOutbound({ allow: [], ...options }).call({
    url,
    method: 'POST',
    body: 'hello',
    signal: new AbortController().signal,
    ...more,
  });
const to = (host: string) => `http://${host}:${receiver.port}/path?token=secret`;

describe('an address that is not public', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '127.0.0.1.',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '017700000001',
    '①②⑦.0.0.1',
    'localhost',
    'LOCALHOST',
    '0.0.0.0',
    '0',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '198.18.0.1',
  ])('%s is refused before anything is connected', async (host) => {
    let isSending = false;
    const beforeSend = async () => {
      isSending = true;
    };
    const refused = call(to(host), {}, { beforeSend });
    await expect(refused).rejects.toMatchObject({ code: 'destination_forbidden' });
    expect({ isSending, received: receiver.received }).toEqual({ isSending: false, received: [] });
  });

  test('is refused over TLS too', async () => {
    await expect(call(`https://127.0.0.1:${receiver.port}`)).rejects.toMatchObject({ code: 'destination_forbidden' });
    await expect(call(`https://[::1]:${receiver.port}`)).rejects.toMatchObject({ code: 'destination_forbidden' });
  });

  test('is refused behind a name, even if only one of its addresses is not public', async () => {
    for (const addresses of [['127.0.0.1'], ['10.0.0.1'], ['93.184.215.14', '127.0.0.1'], ['2606:4700::1', '::1']]) {
      const resolve = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      await expect(call(to('innocent.example'), { resolve })).rejects.toMatchObject({ code: 'destination_forbidden' });
    }
  });

  test('may be allowed as an address, as a range, and behind a name', async () => {
    for (const allow of [['127.0.0.1'], ['127.0.0.1/32'], ['127.0.0.0/8'], ['::1', '10.0.0.0/8', '127.0.0.1']])
      expect(await call(to('127.0.0.1'), { allow })).toMatchObject({ status: 200, text: 'welcome' });
    expect(await call(to('localhost'), { allow: loopback })).toMatchObject({ status: 200 });
    await expect(call(to('127.0.0.2'), { allow: ['127.0.0.1'] })).rejects.toMatchObject({
      code: 'destination_forbidden',
      message: expect.stringContaining('ALFRED_OUTBOUND_ALLOW'),
    });
  });

  test('a name is resolved once, so the checked address is the connected one', async () => {
    let lookups = 0;
    const resolve = async () => [{ address: lookups++ === 0 ? '127.0.0.1' : '10.0.0.1', family: 4 }];
    expect(await call(to('rebinding.example'), { allow: loopback, resolve })).toMatchObject({ status: 200 });
    expect({ lookups, host: receiver.received[0]?.headers.host }).toEqual({
      lookups: 1,
      host: `rebinding.example:${receiver.port}`,
    });
  });
});

test.each(['ftp://example.com', 'file:///etc/passwd', 'gopher://example.com', 'example.com', ''])(
  '"%s" is refused',
  async (url) => {
    await expect(call(url)).rejects.toMatchObject({ code: 'destination_forbidden' });
  },
);

test('an address with credentials is refused without repeating them', async () => {
  const refused = await call(`http://user:hunter2@127.0.0.1:${receiver.port}`, { allow: loopback }).catch(
    (error: Error) => error,
  );
  expect(refused).toMatchObject({ code: 'destination_forbidden' });
  expect((refused as Error).message).not.toMatch(/hunter2|user:/);
});

test('a redirect is returned and not followed', async () => {
  receiver.answerWithStatus(302, { location: '/elsewhere' });
  expect(await call(to('127.0.0.1'), { allow: loopback })).toMatchObject({ status: 302 });
  expect(receiver.received.map(({ path }) => path)).toEqual(['/path?token=secret']);
});

test('a body is read up to the limit', async () => {
  receiver.answerWith((response) => {
    response.writeHead(200);
    const more = () => void (response.writable && response.write('x'.repeat(10_000), () => setImmediate(more)));
    more();
  });
  const { text } = await call(to('127.0.0.1'), { allow: loopback, maxBytes: 65_536 });
  expect(text).toHaveLength(65_536);
});

test('a body that breaks off or takes too long is returned as far as it was received', async () => {
  receiver.answerWith((response) => {
    response.writeHead(201, { 'content-length': '100' });
    response.write('so far', () => response.destroy());
  });
  expect(await call(to('127.0.0.1'), { allow: loopback })).toMatchObject({ status: 201, text: 'so far' });
  receiver.answerWith((response) => response.writeHead(202).write('and'));
  expect(await call(to('127.0.0.1'), { allow: loopback, timeoutMs: 300 })).toMatchObject({ status: 202, text: 'and' });
});

describe('a failed call knows whether anything was sent', () => {
  test('nothing, when the connection is refused, the name is unknown or the handshake fails', async () => {
    const closed = await freePort();
    const beforeSend = async () => {
      throw new Error('nothing leaves');
    };
    const refused = call(`http://127.0.0.1:${closed}/?token=secret`, { allow: loopback }, { beforeSend });
    await expect(refused).rejects.toMatchObject({
      code: 'tool_failed',
      message: `No connection to 127.0.0.1:${closed} could be made (ECONNREFUSED).`,
    });
    await expect(call('http://nowhere.invalid', {}, { beforeSend })).rejects.toMatchObject({
      code: 'tool_failed',
      message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
    });
    const noTls = call(`https://127.0.0.1:${receiver.port}`, { allow: loopback }, { beforeSend });
    await expect(noTls).rejects.toMatchObject({ code: 'tool_failed' });
  });

  test('nothing, when the connection takes too long', async () => {
    const resolve = () => new Promise<never>(() => {});
    await expect(call('http://slow.example', { resolve, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'tool_failed',
      message: 'No connection to slow.example could be made (it took too long).',
    });
  });

  test('nothing, when beforeSend throws', async () => {
    const beforeSend = async () => {
      throw new Error('not now');
    };
    await expect(call(to('127.0.0.1'), { allow: loopback }, { beforeSend })).rejects.toThrow('not now');
    expect(receiver.received).toEqual([]);
  });

  test('unknown, when no response comes in time or the connection breaks before it', async () => {
    receiver.answerWith(() => {});
    await expect(call(to('127.0.0.1'), { allow: loopback, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'effect_unknown',
      message: `127.0.0.1:${receiver.port} was called and did not answer.`,
    });
    receiver.answerWith((response) => response.destroy());
    await expect(call(to('127.0.0.1'), { allow: loopback })).rejects.toMatchObject({ code: 'effect_unknown' });
    expect(receiver.received).toHaveLength(2);
  });

  test('an abort before sending throws its reason; after sending the outcome is unknown', async () => {
    const reason = new Error('the task was cancelled');
    await expect(call(to('127.0.0.1'), { allow: loopback }, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    const connecting = new AbortController();
    const beforeSend = async () => connecting.abort(reason);
    const options = { signal: connecting.signal, beforeSend };
    await expect(call(to('127.0.0.1'), { allow: loopback }, options)).rejects.toBe(reason);
    expect(receiver.received).toEqual([]);

    const waiting = new AbortController();
    receiver.answerWith(() => waiting.abort(reason));
    const sent = call(to('127.0.0.1'), { allow: loopback }, { signal: waiting.signal });
    await expect(sent).rejects.toMatchObject({ code: 'effect_unknown' });
  });
});

/** A port on which no process listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
