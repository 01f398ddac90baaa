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
/** One whose standard input stays open. */
const talking = (args: string[] = [], url = harness.url) => {
  const run = runAlfred(['chat', ...args], at(url), { input: null });
  return { ...run, say: (line: string) => run.child.stdin.write(`${line}\n`), end: () => run.child.stdin.end() };
};
const conversationIn = (stderr: string) => /alfred chat -c (\S+)/.exec(stderr)?.[1] ?? '';
const said = async (id: string) =>
  messageStates((await harness.http.get(`/v1/conversations/${id}/messages`)).body.messages);

test('each line is a message, answered in order and in the context of those before', async () => {
  const requests = harness.script([{ text: ['Hello ', 'Ada.'] }, { text: ['Your name is Ada.'] }]);
  const { code, stdout, stderr } = await chat(['I am Ada.', '', 'Who am I?']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Hello Ada.\n\nYour name is Ada.\n' });
  expect(requests.map(outlineOf)).toEqual([['I am Ada.'], ['I am Ada.', ['> Hello Ada.'], 'Who am I?']]);
  expect(stderr).toContain('“Who am I?”: Queued: it is answered after what runs.');
  expect(await said(conversationIn(stderr))).toEqual(['I am Ada.: started, done', 'Who am I?: queued, done']);
});

test('what stands behind the command is said first, and -c goes on with a conversation', async () => {
  harness.script([{ text: ['Hello Ada.'] }]);
  const first = await chat([], 'I', 'am', 'Ada.');
  expect(first).toMatchObject({ code: 0, stdout: 'Hello Ada.\n' });
  const id = conversationIn(first.stderr);
  const requests = harness.script([{ text: ['Ada.'] }]);
  const second = await chat(['Who am I?'], '-c', id);
  expect(second).toMatchObject({ code: 0, stdout: 'Ada.\n', stderr: expect.stringContaining(`alfred chat -c ${id}`) });
  expect(requests.map(outlineOf)).toEqual([['I am Ada.', ['> Hello Ada.'], 'Who am I?']]);
});

test('--json prints the events of the conversation, one a line, and nothing else', async () => {
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

test('a message that is rejected is told with what to do, and ends the command with 1', async () => {
  const one = blockedTurn('One.');
  harness.script([one.turn]);
  const run = talking(['--on-busy', 'reject']);
  run.say('one');
  run.say('two');
  run.end();
  await run.said('“two”: Rejected: a task runs. Say it again when that has ended');
  one.release();
  const { code, stdout, stderr } = await run.done;
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'One.\n' });
  expect(await said(conversationIn(stderr))).toEqual(['one: started, done', 'two: rejected, rejected']);
});

test('a task that fails ends the command with 1 and the reason; those behind it are answered', async () => {
  harness.script([{ error: new AlfredError('model_refused', 'The model declined to answer.') }, { text: ['Two.'] }]);
  const { code, stdout, stderr } = await chat(['one', 'two']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'Two.\n' });
  expect(stderr).toContain('The task failed: The model declined to answer. (model_refused)');
});

test('a message that the server refuses is told in its words, and the others go on', async () => {
  harness.script([{ text: ['Two.'] }]);
  const { code, stdout, stderr } = await chat(['x'.repeat(20_001), 'two']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'Two.\n' });
  expect(stderr).toMatch(/^Not sent: “x{59}…”$/m);
});

test('one that interrupts takes the place of what runs: the command ends with 130', async () => {
  harness.script((_, call) => (call === 1 ? blockedTurn('One.').turn : { text: ['Two.'] }));
  const run = talking(['--on-busy', 'interrupt']);
  run.say('one');
  run.say('two');
  run.end();
  const { code, stdout, stderr } = await run.done;
  expect({ code, stdout }).toEqual({ code: 130, stdout: 'Two.\n' });
  expect(stderr).toContain('“two”: What runs is interrupted; this is answered next.');
});

test('one that steers is answered with what it steers', async () => {
  const looking = blockedTurn('');
  harness.tool('search_documents', async (_, { signal }) => {
    await looking.turn.until(signal);
    return { output: { passages: [] }, summary: 'looked' };
  });
  harness.script((_, call) =>
    call === 1 ? { calls: [{ tool: 'search_documents', arguments: {} }] } : { text: ['Both.'] },
  );
  const run = talking(['--on-busy', 'steer']);
  run.say('one');
  await run.said('search documents: {} …');
  run.say('two');
  await run.said('“two”: Given to the task that runs');
  looking.release();
  run.end();
  expect(await run.done).toMatchObject({ code: 0, stdout: 'Both.\n', stderr: expect.stringContaining('“two”\n') });
});

test('a call that waits for a person is shown with the command that decides about it', async () => {
  harness.script([{ calls: [{ tool: 'pay', arguments: { amount: 5 } }] }, { text: ['Done.'] }]);
  const run = talking(['Pay.']);
  run.end();
  await run.said('alfred approvals approve ');
  const { approvals } = (await harness.http.get('/v1/approvals?mine=true')).body;
  expect((await alfred(['approvals', 'approve', approvals[0].id], at())).code).toBe(0);
  expect(await run.done).toMatchObject({
    code: 0,
    stdout: 'Done.\n',
    stderr: expect.stringContaining(approvals[0].id),
  });
});

test('Ctrl-C stops what runs, drops what waits and ends with 130', async () => {
  harness.script([blockedTurn('One.').turn]);
  const run = talking();
  run.say('one');
  run.say('two');
  await run.said('“two”: Queued');
  await run.said('“one”');
  run.child.kill('SIGINT');
  const { code, stdout, stderr } = await run.done;
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toContain('Dropped, so it is not answered: “two”');
  expect(await said(conversationIn(stderr))).toEqual(['one: started, done', 'two: queued, dropped']);
});

test('a server that is away is waited out: nothing is lost, and nothing said twice', async () => {
  const cable = await createTcpProxy(new URL(harness.url).host);
  const requests = harness.script([{ text: ['One.'] }, { text: ['Two.'] }, { text: ['Three.'] }]);
  const run = talking([], `http://${cable.address}`);
  run.say('one');
  await run.said('One.');
  cable.cut();
  await run.said('The connection broke.');
  run.say('two');
  run.say('three');
  await run.said('Trying again …');
  cable.plug();
  run.end();
  const { code, stdout, stderr } = await run.done;
  await cable.close();
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'One.\n\nTwo.\n\nThree.\n' });
  expect(requests).toHaveLength(3);
  expect(await said(conversationIn(stderr))).toHaveLength(3);
});

test('a conversation that is deleted meanwhile ends the command, whatever else was to be said', async () => {
  harness.script([{ text: ['One.'] }]);
  const run = talking(['--json', 'one']);
  await run.said('"state":"done"');
  const { conversations } = (await harness.http.get('/v1/conversations?limit=1')).body;
  await harness.http.request(`/v1/conversations/${conversations[0].id}`, { method: 'DELETE' });
  expect((await run.done).code).toBe(1);
});

test('nothing to say, and what cannot be, is told before anything is made', async () => {
  const before = (await harness.http.get('/v1/conversations?limit=200')).body.conversations.length;
  expect(await chat([])).toMatchObject({ code: 2, stderr: expect.stringContaining('Nothing was said.') });
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
