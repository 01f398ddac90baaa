import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { ConversationEvent } from '../../contract/conversation.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { outlineOf, blockedTurn, messageStates } from '../api/open-conversation.ts';
import { createTcpProxy } from '../support/processes/tcp-proxy.ts';
import { alfred, runAlfred } from './run-alfred.ts';

let harness: ApiHarness;
beforeAll(async () => {
  harness = await createApiHarness({ ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: [{ tool: 'pay' }] } }) });
  harness.tool('pay', async () => ({ output: 'paid', summary: 'paid' }), { effect: 'write' });
});
afterAll(() => harness?.close());

const at = (url = harness.url) => ({ ALFRED_URL: url, NO_COLOR: '1' });
const chat = (lines: string[], ...args: string[]) =>
  alfred(['chat', ...args], at(), { input: lines.map((line) => `${line}\n`).join('') });
/** Starts a chat whose standard input stays open. */
const startChat = (args: string[] = [], url = harness.url) => {
  const run = runAlfred(['chat', ...args], at(url), { input: null });
  return { ...run, typeLine: (line: string) => run.child.stdin.write(`${line}\n`), end: () => run.child.stdin.end() };
};
const conversationIn = (stderr: string) => /alfred chat -c (\S+)/.exec(stderr)?.[1] ?? '';
const readMessageStates = async (id: string) =>
  messageStates((await harness.http.get(`/v1/conversations/${id}/messages`)).body.messages);

test('each line of standard input is a message, answered in order with the earlier ones as context', async () => {
  const requests = harness.script([{ text: ['Hello ', 'Ada.'] }, { text: ['Your name is Ada.'] }]);
  const { code, stdout, stderr } = await chat(['I am Ada.', '', 'Who am I?']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Hello Ada.\n\nYour name is Ada.\n' });
  expect(requests.map(outlineOf)).toEqual([['I am Ada.'], ['I am Ada.', ['> Hello Ada.'], 'Who am I?']]);
  expect(stderr).toContain('“Who am I?”: Queued: it is answered after what runs.');
  expect(await readMessageStates(conversationIn(stderr))).toEqual([
    'I am Ada.: started, done',
    'Who am I?: queued, done',
  ]);
});

test('the argument is the first message, and -c continues a conversation', async () => {
  harness.script([{ text: ['Hello Ada.'] }]);
  const first = await chat([], 'I', 'am', 'Ada.');
  expect(first).toMatchObject({ code: 0, stdout: 'Hello Ada.\n' });
  const id = conversationIn(first.stderr);
  const requests = harness.script([{ text: ['Ada.'] }]);
  const second = await chat(['Who am I?'], '-c', id);
  expect(second).toMatchObject({ code: 0, stdout: 'Ada.\n', stderr: expect.stringContaining(`alfred chat -c ${id}`) });
  expect(requests.map(outlineOf)).toEqual([['I am Ada.', ['> Hello Ada.'], 'Who am I?']]);
});

test('--json prints the events of the conversation, one per line, and nothing else', async () => {
  harness.script([{ text: ['Hello.'] }]);
  const { code, stdout } = await chat(['Hi.'], '--json');
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => ConversationEvent.parse(JSON.parse(line)));
  expect(code).toBe(0);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(events.at(0)).toMatchObject({ type: 'conversation.message', data: { text: 'Hi.' } });
  expect(events.at(-1)).toMatchObject({ type: 'conversation.turn', data: { state: 'done' } });
});

test('a rejected message is reported with advice, and the exit code is 1', async () => {
  const one = blockedTurn('One.');
  harness.script([one.turn]);
  const run = startChat(['--on-busy', 'reject']);
  run.typeLine('one');
  run.typeLine('two');
  run.end();
  await run.waitForOutput('“two”: Rejected: a task runs. Say it again when that has ended');
  one.release();
  const { code, stdout, stderr } = await run.done;
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'One.\n' });
  expect(await readMessageStates(conversationIn(stderr))).toEqual(['one: started, done', 'two: rejected, rejected']);
});

test('after a failed task the next message is answered, and the exit code is 1', async () => {
  harness.script([{ error: new AlfredError('model_refused', 'The model declined to answer.') }, { text: ['Two.'] }]);
  const { code, stdout, stderr } = await chat(['one', 'two']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'Two.\n' });
  expect(stderr).toContain('The task failed: The model declined to answer. (model_refused)');
});

test('a message that the server refuses is reported with its message, and the others are answered', async () => {
  harness.script([{ text: ['Two.'] }]);
  const { code, stdout, stderr } = await chat(['x'.repeat(20_001), 'two']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'Two.\n' });
  expect(stderr).toMatch(/^Not sent: “x{59}…”$/m);
});

test('a message that interrupts replaces the running task, and the exit code is 130', async () => {
  harness.script((_, call) => (call === 1 ? blockedTurn('One.').turn : { text: ['Two.'] }));
  const run = startChat(['--on-busy', 'interrupt']);
  run.typeLine('one');
  run.typeLine('two');
  run.end();
  const { code, stdout, stderr } = await run.done;
  expect({ code, stdout }).toEqual({ code: 130, stdout: 'Two.\n' });
  expect(stderr).toContain('“two”: What runs is interrupted; this is answered next.');
});

test('a message that steers is answered by the running task', async () => {
  const looking = blockedTurn('');
  harness.tool('search_documents', async (_, { signal }) => {
    await looking.turn.until(signal);
    return { output: { passages: [] }, summary: 'looked' };
  });
  harness.script((_, call) =>
    call === 1 ? { calls: [{ tool: 'search_documents', arguments: {} }] } : { text: ['Both.'] },
  );
  const run = startChat(['--on-busy', 'steer']);
  run.typeLine('one');
  await run.waitForOutput('search documents: {} …');
  run.typeLine('two');
  await run.waitForOutput('“two”: Given to the task that runs');
  looking.release();
  run.end();
  expect(await run.done).toMatchObject({ code: 0, stdout: 'Both.\n', stderr: expect.stringContaining('“two”\n') });
});

test('a call that waits for approval is shown with the command that approves it', async () => {
  harness.script([{ calls: [{ tool: 'pay', arguments: { amount: 5 } }] }, { text: ['Done.'] }]);
  const run = startChat(['Pay.']);
  run.end();
  await run.waitForOutput('alfred approvals approve ');
  const { approvals } = (await harness.http.get('/v1/approvals?mine=true')).body;
  expect((await alfred(['approvals', 'approve', approvals[0].id], at())).code).toBe(0);
  expect(await run.done).toMatchObject({
    code: 0,
    stdout: 'Done.\n',
    stderr: expect.stringContaining(approvals[0].id),
  });
});

test('Ctrl-C cancels the running task, drops queued messages and ends with exit code 130', async () => {
  harness.script([blockedTurn('One.').turn]);
  const run = startChat();
  run.typeLine('one');
  run.typeLine('two');
  await run.waitForOutput('“two”: Queued');
  await run.waitForOutput('“one”');
  run.child.kill('SIGINT');
  const { code, stdout, stderr } = await run.done;
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toContain('Dropped, so it is not answered: “two”');
  expect(await readMessageStates(conversationIn(stderr))).toEqual(['one: started, done', 'two: queued, dropped']);
});

test('during an outage the chat waits: no message is lost or sent twice', async () => {
  const proxy = await createTcpProxy(new URL(harness.url).host);
  const requests = harness.script([{ text: ['One.'] }, { text: ['Two.'] }, { text: ['Three.'] }]);
  const run = startChat([], `http://${proxy.address}`);
  run.typeLine('one');
  await run.waitForOutput('One.');
  proxy.cut();
  await run.waitForOutput('The connection broke.');
  run.typeLine('two');
  run.typeLine('three');
  await run.waitForOutput('Trying again …');
  proxy.plug();
  run.end();
  const { code, stdout, stderr } = await run.done;
  await proxy.close();
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'One.\n\nTwo.\n\nThree.\n' });
  expect(requests).toHaveLength(3);
  expect(await readMessageStates(conversationIn(stderr))).toHaveLength(3);
});

test('when the conversation is deleted, the command ends, also with unread standard input', async () => {
  harness.script([{ text: ['One.'] }]);
  const run = startChat(['--json', 'one']);
  await run.waitForOutput('"state":"done"');
  const { conversations } = (await harness.http.get('/v1/conversations?limit=1')).body;
  await harness.http.request(`/v1/conversations/${conversations[0].id}`, { method: 'DELETE' });
  expect((await run.done).code).toBe(1);
});

test('no input and invalid options are reported before a conversation is created', async () => {
  const before = (await harness.http.get('/v1/conversations?limit=200')).body.conversations.length;
  expect(await chat([])).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no message.') });
  expect((await chat(['x'], '--on-busy', 'never')).code).toBe(2);
  expect(await chat(['x'], '-a', 'nobody')).toMatchObject({ code: 1, stderr: expect.stringContaining('nobody') });
  const nowhere = '019ab7a0-0000-7000-8000-000000000000';
  expect(await chat(['x'], '-c', nowhere)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`There is no conversation ${nowhere}.`),
  });
  expect((await harness.http.get('/v1/conversations?limit=200')).body.conversations).toHaveLength(before);

  const { id } = (await harness.http.post('/v1/conversations', {})).body;
  expect(await chat(['x'], '-c', id, '-a', 'other')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is with the agent knowledge'),
  });
  await harness.http.json('PATCH', `/v1/conversations/${id}`, { archived: true });
  expect(await chat(['x'], '-c', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`alfred conversations archive --undo ${id}`),
  });
});
