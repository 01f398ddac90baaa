import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { alfred, runAlfred } from './run-alfred.ts';
import { untilPasses } from '../support/until.ts';

let harness: ApiHarness;
beforeAll(async () => {
  harness = await createApiHarness({ ALFRED_MODELS: '{"scripted:test": {"output": 25000}}' });
});
afterAll(() => harness?.close());

const at = (url = harness.url) => ({ ALFRED_URL: url, NO_COLOR: '1' });

test('in a pipe, standard output is only the answer, and notes are on standard error', async () => {
  harness.tool('search_documents', async () => ({ output: { passages: [] }, summary: 'found 0 passages' }));
  harness.script([
    { text: ['Let me look.'], calls: [{ tool: 'search_documents', arguments: { query: 'expense report' } }] },
    { text: ['Thirty ', 'days.'] },
  ]);
  const { code, stdout, stderr } = await alfred(['ask', 'How', 'many', 'days?'], at());
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Thirty days.\n' });
  expect(stderr).toContain('searching documents: expense report …\n  found 0 passages');
  expect(stderr).toMatch(/20 tokens in, 10 out · \$0\.2500 · .* · 2 model calls · scripted:test/);
  expect(stderr).toContain('/namespaces/');
  // Its agent answers from documents.
  expect(stderr).toContain('There are no documents yet.');
});

test('--json prints the finished task and nothing else', async () => {
  harness.script([{ text: ['Forty-two.'] }]);
  const { code, stdout } = await alfred(['ask', '--json', 'What?'], at());
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', result: { text: 'Forty-two.' } });
});

test('a failed task ends the command with exit code 1 and the reason', async () => {
  harness.script([{ error: new AlfredError('model_refused', 'The model declined to answer.') }]);
  const { code, stdout, stderr } = await alfred(['ask', 'What?'], at());
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('The task failed: The model declined to answer. (model_refused)');
});

test('Ctrl-C cancels the task and ends the command with exit code 130', async () => {
  harness.script([{ until: (signal) => once(signal, 'abort') }]);
  const run = runAlfred(['ask', 'What?'], at());
  await untilPasses('a task runs', async () => expect((await newest()).status).toBe('running'));
  run.child.kill('SIGINT');
  const { code, stderr } = await run.done;
  expect(code).toBe(130);
  expect(stderr).toContain('Cancelling the task');
  expect((await newest()).status).toBe('cancelled');
});

test('when the connection breaks repeatedly, no event is lost or shown twice', async () => {
  harness.tool('search_documents', async () => ({ output: { passages: [] }, summary: 'found nothing' }));
  const words = Array.from({ length: 12 }, (_, i) => `word${i}`);
  harness.script([
    ...words.map((query) => ({ calls: [{ tool: 'search_documents', arguments: { query } }] })),
    { text: ['Done.'] },
  ]);
  const proxy = await cuttingProxy(harness.url, 2_500);
  const { code, stdout, stderr } = await alfred(['ask', 'What?'], at(proxy.url));
  await proxy.close();
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Done.\n' });
  expect(stderr.match(/(?<=searching documents: )\w+/g)).toEqual(words);
  expect(proxy.connections()).toBeGreaterThan(2);
});

test('the budget is sent with the task, and a refusal is shown with the server’s message', async () => {
  harness.script([]);
  const unknown = await alfred(['ask', '--agent', 'nobody', 'What?'], at());
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('nobody');
  harness.script([{ text: ['Done.'] }]);
  const { stdout } = await alfred(['ask', '--json', '--max-cost-usd', '500', 'What?'], at());
  expect(JSON.parse(stdout)).toMatchObject({ budget: { maxCostUsd: 500 } });
});

test('a command in a pipe does not wait for more budget: it prints what there is, and says why', async () => {
  harness.script([{ text: ['never'] }]);
  const { code, stderr } = await alfred(['ask', '--max-cost-usd', '0.01', 'What?'], at());
  expect(code).toBe(1);
  expect(stderr).toContain('maxCostUsd of $0.01 leaves no room');
  expect(stderr).toContain('The budget ended first: this is what there was.');
});

test('the priority is sent with the task', async () => {
  harness.script([{ text: ['Done.'] }]);
  const { stdout } = await alfred(['ask', '--json', '--priority', '2', 'What?'], at());
  const { id } = JSON.parse(stdout) as { id: string };
  const { priority } = await harness.client.workflow.getHandle(taskWorkflowId(id)).describe();
  expect(priority).toMatchObject({ priorityKey: 2 });
});

test('--input sends JSON from the command line, a file or standard input, and --idempotency-key asks once', async () => {
  harness.script(() => ({ text: ['Done.'] }));
  const dir = await mkdtemp(join(tmpdir(), 'alfred-ask-'));
  await writeFile(join(dir, 'input.json'), '{"text": "From a file."}');
  const ask = async (input: string, options: object = {}, ...args: string[]) => {
    const { code, stdout, stderr } = await alfred(['ask', '--json', '--input', input, ...args], at(), options);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout) as { id: string; input: { text: string } };
  };
  const first = await ask('{"text": "From the line."}', {}, '--idempotency-key', 'ask-once');
  expect(first.input.text).toBe('From the line.');
  expect((await ask('{"text": "From the line."}', {}, '--idempotency-key', 'ask-once')).id).toBe(first.id);
  expect((await ask(`@${join(dir, 'input.json')}`)).input.text).toBe('From a file.');
  expect((await ask('-', { input: '{"text": "From a pipe."}' })).input.text).toBe('From a pipe.');
  await rm(dir, { recursive: true });
});

test('--timeout stops waiting with exit code 124 and says how to go on; the task goes on', async () => {
  harness.script([{ until: (signal) => once(signal, 'abort') }]);
  const { code, stdout, stderr } = await alfred(['ask', '--timeout', '3', 'What?'], at());
  expect({ code, stdout }).toEqual({ code: 124, stdout: '' });
  const { id, status } = await newest();
  expect(stderr).toContain('Stopped waiting after 3 s.');
  expect(stderr).toContain(`alfred tasks show ${id}`);
  expect(['queued', 'running']).toContain(status);
  await alfred(['tasks', 'cancel', id], at());
});

test.each([['hangs'], ['is away']])(
  'when the API %s after the start, --json --timeout prints the task as it was then, with exit code 124',
  async (fault) => {
    harness.script([{ until: (signal) => once(signal, 'abort') }]);
    // Answers the request that creates the task as the API does, and nothing after it.
    const proxy = createHttpServer((request, response) => {
      if (request.method !== 'POST') {
        if (fault === 'hangs') return;
        return void request.socket.destroy();
      }
      const forward = async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const headers = {
          'content-type': 'application/json',
          'idempotency-key': String(request.headers['idempotency-key']),
        };
        const answer = await fetch(harness.url + request.url, {
          method: 'POST',
          headers,
          body: Buffer.concat(chunks),
        });
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
      };
      void forward();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { code, stdout, stderr } = await alfred(['ask', '--json', '--timeout', '2', 'What?'], at(url));
    const { id } = await newest();
    expect({ code, stderr }).toEqual({ code: 124, stderr: expect.stringContaining('Stopped waiting after 2 s.') });
    expect(JSON.parse(stdout)).toMatchObject({ id });
    proxy.closeAllConnections();
    proxy.close();
    await alfred(['tasks', 'cancel', id], at());
  },
);

test('a wait that ends before Alfred has answered names the key with which a repeat asks once', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { code, stderr } = await alfred(['ask', '--timeout', '2', 'What?'], at(url));
  silent.close();
  expect(code).toBe(124);
  expect(stderr).toMatch(/--idempotency-key [0-9a-f-]{36}: it asks once/);
});

test('the callback is sent with the task; its secret comes from a file', async () => {
  harness.script([{ text: ['Done.'] }]);
  const dir = await mkdtemp(join(tmpdir(), 'alfred-ask-'));
  const secret = join(dir, 'secret');
  await writeFile(secret, `whsec_${Buffer.alloc(32, 7).toString('base64')}\n`);
  const url = 'http://127.0.0.1:9/ended';
  const { code } = await alfred(['ask', '--callback', url, '--callback-secret', secret, 'What?'], at());
  expect(code).toBe(0);
  const shown = await alfred(['tasks', 'callback', (await newest()).id, '--json'], at());
  expect(JSON.parse(shown.stdout)).toMatchObject({ url });
  await rm(dir, { recursive: true });
});

test('an empty question and an invalid option are usage errors', async () => {
  for (const args of [
    ['ask'],
    ['ask', '  '],
    ['ask', '--max-cost-usd', 'cheap', 'What?'],
    ['ask', '--priority', '6', 'What?'],
    ['ask', '--nonsense', 'What?'],
    ['ask', '--timeout', '0', 'What?'],
    ['ask', '--input', '[1]'],
    ['ask', '--input', '{}', 'What?'],
    ['ask', '--callback', 'http://127.0.0.1:9/', 'What?'],
  ]) {
    const { code, stderr } = await alfred(args, at());
    expect({ args, code }).toEqual({ args, code: 2 });
    expect(stderr.length).toBeGreaterThan(20);
  }
});

test('when no server answers, the command says which address it used and how to start one', async () => {
  const { code, stderr } = await alfred(['ask', 'What?'], at('http://127.0.0.1:1'));
  expect(code).toBe(1);
  expect(stderr).toContain('does not answer at http://127.0.0.1:1 (ALFRED_URL)');
  expect(stderr).toContain('npm start');
});

async function newest() {
  const { tasks } = await harness.tasks.list(harness.scope, { limit: 1 });
  if (!tasks[0]) throw new Error('no task');
  return tasks[0];
}

/** A proxy that cuts each connection after `limit` bytes from the server. */
async function cuttingProxy(url: string, limit: number) {
  const { hostname, port } = new URL(url);
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    connections++;
    let passed = 0;
    const upstream = connect(Number(port), hostname);
    const end = () => [client, upstream].forEach((socket) => socket.destroy());
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.pipe(upstream);
    upstream.on('data', (data) => {
      passed += data.length;
      client.write(data, () => passed > limit && end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}`,
    connections: () => connections,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
