import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteAgents } from '../../../adapters/remote/remote-agents.ts';
import type { RemoteAgentEntry } from '../../../runtime/remote-agent-settings.ts';
import { startFakeCrew } from '../../support/crewai/fake-crew.ts';

type Crew = Awaited<ReturnType<typeof startFakeCrew>>;
let crew: Crew;
let small: Crew;
beforeAll(async () => {
  [crew, small] = await Promise.all([
    startFakeCrew({ token: 'secret', inputs: ['topic', 'style'] }),
    startFakeCrew({ token: 'secret', inputs: ['topic'] }),
  ]);
});
beforeEach(() => {
  crew.page = undefined;
  crew.loses = () => false;
});
afterAll(() => Promise.all([crew?.close(), small?.close()]));

const signal = AbortSignal.timeout(60_000);
const remoteOf = ({ url }: Crew, inputs?: Record<string, string>, token = 'secret') => {
  const entry = { protocol: 'crewai', url, inputs, auth: { bearer: 'K' } } as unknown as RemoteAgentEntry;
  return createRemoteAgents({ travel: entry }, () => ({ K: token }));
};
const full = { topic: 'About {text}: {text}', style: 'short' };
const kickOff = (remote: ReturnType<typeof remoteOf>, text = 'Lisbon') =>
  remote.start('travel', { key: 'k-1', text }, signal);

async function statusOf(remote: ReturnType<typeof remoteOf>) {
  const { remoteId = '' } = await kickOff(remote);
  for await (const state of remote.watch('travel', { remoteId }, signal)) return state;
  throw new Error('no state');
}

describe('a crew', () => {
  test('gets its inputs as the settings say, with our key as metadata', async () => {
    await kickOff(remoteOf(crew, full), 'Lisbon $&');
    expect(crew.kickoffs.at(-1)).toMatchObject({
      inputs: { topic: 'About Lisbon $&: Lisbon $&', style: 'short' },
      meta: { requestId: 'k-1' },
    });
  });

  test('with one input gets the request there without settings', async () => {
    await kickOff(remoteOf(small));
    expect(small.kickoffs.at(-1)?.inputs).toEqual({ topic: 'Lisbon' });
  });

  test('whose inputs the settings leave out is not kicked off, and the message names them', async () => {
    const before = crew.kickoffs.length;
    await expect(kickOff(remoteOf(crew, { topic: '{text}' }))).rejects.toMatchObject({
      code: 'remote_refused',
      message: expect.stringMatching(/needs the inputs style.*`inputs`/),
    });
    expect(crew.kickoffs).toHaveLength(before);
  });

  test.each([
    [
      { status: 'running', current_task: 'research' },
      { state: 'working', progress: 'research' },
    ],
    [{ state: 'STARTED', status: null }, { state: 'working' }],
    [
      { status: 'completed', result: { output: 'Yes.' } },
      { state: 'answered', text: 'Yes.' },
    ],
    [
      { state: 'SUCCESS', result: 'Yes.', status: 'done' },
      { state: 'answered', text: 'Yes.' },
    ],
    [
      {
        status: 'completed',
        result: { raw: 'Y', json_dict: { a: 1 }, token_usage: { prompt_tokens: 5, completion_tokens: 2 } },
      },
      { text: 'Y', data: { a: 1 }, usage: { inputTokens: 5, outputTokens: 2 } },
    ],
    [
      { status: 'error', error: 'No key' },
      { state: 'failed', how: 'failed', message: 'No key' },
    ],
  ])('that says %j stands so', async (status, expected) => {
    crew.status = () => status;
    expect(await statusOf(remoteOf(crew, full))).toMatchObject(expected);
  });

  test.each([[{ status: 'dreaming' }], [{ status: 'completed' }], [[]], ['text']])(
    'that says %j has an answer that cannot be used',
    async (status) => {
      crew.status = () => status;
      await expect(statusOf(remoteOf(crew, full))).rejects.toMatchObject({ code: 'remote_failed' });
    },
  );

  test('whose answer to the kickoff gets lost may have begun, and cannot be asked', async () => {
    const remote = remoteOf(crew, full);
    crew.loses = (path) => path === '/kickoff';
    await expect(kickOff(remote)).rejects.toMatchObject({ code: 'effect_unknown' });
    const lost = { key: 'k-1', text: '', since: new Date() };
    expect(await remote.find('travel', lost, signal)).toBe('impossible');
  });

  test('refuses a wrong token, forgets a run, and cancels none', async () => {
    await expect(kickOff(remoteOf(crew, full, 'wrong'))).rejects.toMatchObject({ code: 'remote_refused' });
    const remote = remoteOf(crew, full);
    const unknown = remote.watch('travel', { remoteId: 'unknown' }, signal);
    await expect(unknown[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'remote_failed' });
    expect(await remote.cancel('travel', { remoteId: 'x' }, signal)).toBe(false);
  });

  test('that answers with a page has failed', async () => {
    crew.page = '<html>';
    await expect(kickOff(remoteOf(crew, full))).rejects.toMatchObject({ code: 'remote_failed' });
  });
});
