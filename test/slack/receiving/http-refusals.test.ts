import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { startHttpReceiver } from '../../../slack/receiving/http-receiver.ts';
import { until } from '../../support/until.ts';

const secret = '0123456789abcdef0123456789abcdef';
const received: unknown[] = [];
const closes: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0)) await close();
  received.length = 0;
});

async function open({ maxConnections = 100, hasSecret = true } = {}) {
  const lines: object[] = [];
  const none = async () => '';
  const server = await startHttpReceiver({
    host: '127.0.0.1',
    port: 0,
    signingSecret: hasSecret ? secret : undefined,
    maxConnections,
    networks: [],
    receive: async (arrival) => received.push(arrival) > 0,
    log: { warn: (line: object) => void lines.push(line) } as never,
    metrics: { slackEvents: { inc: () => undefined } } as never,
    readiness: {} as never,
    readMetrics: none,
  });
  closes.push(() => server.stop(0));
  return { port: server.port, lines };
}

const now = () => String(Math.floor(Date.now() / 1_000));
const signed = (time = now()) => ({ 'x-slack-request-timestamp': time, 'x-slack-signature': 'v0=00' });

/** Sends the head of a request whose body does not come. */
async function sendHead(port: number, headers: Record<string, string>): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  const lines = Object.entries({ host: 'slack', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /slack/events HTTP/1.1\r\n${lines.join('')}\r\n`);
  return socket;
}
async function statusOf(socket: Socket): Promise<string> {
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().split(' ')[1] ?? '';
}

test.each<[string, Record<string, string>, string]>([
  ['without a signature', {}, '401'],
  ['with a time of an hour ago', signed(String(Number(now()) - 3_600)), '401'],
  ['that is too large', { ...signed(), 'content-length': '1000001' }, '413'],
])('a request %s is refused before its body has come', async (_, headers, status) => {
  const { port } = await open();
  expect(await statusOf(await sendHead(port, { 'content-length': '500000', ...headers }))).toBe(status);
  expect(received).toEqual([]);
});

test('without a signing secret a request is refused before its body has come', async () => {
  const { port } = await open({ hasSecret: false });
  expect(await statusOf(await sendHead(port, { ...signed(), 'content-length': '500000' }))).toBe('401');
});

test('connections beyond the limit are closed', async () => {
  const { port } = await open({ maxConnections: 1 });
  const first = await sendHead(port, { ...signed(), 'content-length': '5' });
  const second = connect(port, '127.0.0.1').on('error', () => undefined);
  second.resume();
  await new Promise((resolve) => second.once('close', resolve));
  expect(first.destroyed).toBe(false);
  first.destroy();
});

test('a flood of requests that break off writes a limited number of lines', async () => {
  const { port, lines } = await open();
  for (let i = 0; i < 70; i++) {
    const socket = await sendHead(port, { ...signed(), 'content-length': '500000' });
    socket.write('x');
    socket.destroy();
  }
  await until('lines were written', () => lines.length >= 60);
  // Those of the last requests would have come by the time that a further request is answered.
  expect(await statusOf(await sendHead(port, { 'content-length': '1' }))).toBe('401');
  expect(lines).toHaveLength(60);
});
