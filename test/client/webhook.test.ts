import { expect, test } from '@jest/globals';
import { Webhook as Signer } from 'standardwebhooks';
import { verifyWebhook } from '../../client/src/index.ts';

const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const secret = secretOf(7);
const body = JSON.stringify({ type: 'task.completed', timestamp: '2026-01-01T00:00:00Z', data: { id: 'é😀' } });

function signed(key = secret, at = new Date()) {
  return {
    'webhook-id': 'a.1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Signer(key).sign('a.1', at, body),
  };
}
const refused = (message: string) => ({ code: 'webhook_invalid', message: expect.stringContaining(message) });

test('a signed webhook is read from text, bytes and a Request of the Fetch API', async () => {
  const message = { id: 'a.1', ...JSON.parse(body) };
  const headers = signed();
  expect(await verifyWebhook({ headers, body }, { secret })).toEqual(message);
  expect(await verifyWebhook({ headers, body: Buffer.from(body) }, { secret })).toEqual(message);
  const request = new Request('http://127.0.0.1/', { method: 'POST', headers, body });
  expect(await verifyWebhook(request, { secret })).toEqual(message);
});

test('another secret, a changed body, id or time, and a missing header are refused', async () => {
  const headers = signed();
  await expect(verifyWebhook({ headers, body }, { secret: secretOf(8) })).rejects.toMatchObject(refused('not signed'));
  await expect(verifyWebhook({ headers, body: `${body} ` }, { secret })).rejects.toMatchObject(refused('not signed'));
  const later = { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) };
  await expect(verifyWebhook({ headers: later, body }, { secret })).rejects.toMatchObject(refused('not signed'));
  const { 'webhook-signature': _, ...unsigned } = headers;
  await expect(verifyWebhook({ headers: unsigned, body }, { secret })).rejects.toMatchObject(refused('no header'));
  const other = { ...headers, 'webhook-signature': `v1a,${headers['webhook-signature'].slice(3)} v1,% v1,` };
  await expect(verifyWebhook({ headers: other, body }, { secret })).rejects.toMatchObject(refused('not signed'));
});

test('a request that is too old or from the future is refused, within a tolerance', async () => {
  for (const ms of [-301_000, 301_000]) {
    const headers = signed(secret, new Date(Date.now() + ms));
    await expect(verifyWebhook({ headers, body }, { secret })).rejects.toMatchObject(refused('300 s from now'));
    expect(await verifyWebhook({ headers, body }, { secret, toleranceS: 400 })).toMatchObject({ id: 'a.1' });
  }
  const headers = { ...signed(), 'webhook-timestamp': '1e9' };
  await expect(verifyWebhook({ headers, body }, { secret })).rejects.toMatchObject(refused('300 s from now'));
});

test('while a secret changes, one of several secrets or signatures is enough', async () => {
  const old = secretOf(8);
  expect(await verifyWebhook({ headers: signed(old), body }, { secret: [secret, old] })).toMatchObject({ id: 'a.1' });
  const both = {
    ...signed(),
    'webhook-signature': `${signed(old)['webhook-signature']} ${signed()['webhook-signature']}`,
  };
  expect(await verifyWebhook({ headers: both, body }, { secret })).toMatchObject({ id: 'a.1' });
});

test('what cannot be checked says so: a parsed body, a secret that is none', async () => {
  const parsed = { headers: signed(), body: JSON.parse(body) };
  await expect(verifyWebhook(parsed, { secret })).rejects.toThrow('body must be the raw body');
  for (const none of ['', 'whsec_', 'whsec_%'])
    await expect(verifyWebhook({ headers: signed(), body }, { secret: none })).rejects.toThrow('secret is not');
});
