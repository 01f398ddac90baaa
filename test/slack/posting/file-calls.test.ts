import { expect, test } from '@jest/globals';
import type { Artifact } from '../../../contract/artifacts.ts';
import type { SlackPost } from '../../../contract/ports/index.ts';
import { createFairSemaphore } from '../../../runtime/semaphore.ts';
import { createFileCalls } from '../../../slack/posting/file-calls.ts';

const { signal } = new AbortController();
const artifact = { id: 'f', name: 'table.csv', bytes: 2 } as Artifact;

/** The calls for files of posts of several teams in one process, in which one file at a time is in memory. */
function createProcess(urlOf: (team: string) => Promise<string>) {
  const withTurn = createFairSemaphore(1);
  const steps: string[] = [];
  const uploaded: Buffer[] = [];
  const callsOf = (team: string) =>
    createFileCalls({
      artifacts: {
        list: async () => [],
        async open() {
          steps.push(`${team} reads`);
          const content = async function* () {
            yield Buffer.from('a');
            yield Buffer.from('b');
          };
          return { artifact, content: content() };
        },
      },
      calls: {
        async call({ method, arguments: args }) {
          steps.push(`${team} ${method} ${JSON.stringify(args())}`);
          return { ok: true, upload_url: await urlOf(team), file_id: `of ${team}` };
        },
        expectedWaitMs: () => 0,
        depth: () => 0,
        stop: async () => {},
      },
      uploadBytes: async ({ team: of, url, bytes }) => {
        steps.push(`${of} sends to ${url}`);
        uploaded.push(Buffer.from(bytes));
      },
      withUpload: (of, stop, work) => {
        steps.push(`${of} takes a turn`);
        return withTurn(of, stop, work);
      },
      post: { id: team, team, channel: 'C1', taskId: 't' } as SlackPost,
      signal,
      checkLease: () => {},
    });
  return { callsOf, steps, uploaded };
}

test('a file whose workspace limits requests is not in memory, and holds up none of another workspace', async () => {
  const limited = Promise.withResolvers<string>();
  const { callsOf, steps, uploaded } = createProcess(async (team) => (team === 'limited' ? limited.promise : 'there'));
  const waits = callsOf('limited').upload(artifact);
  expect(await callsOf('other').upload(artifact)).toEqual({ id: 'f', slackId: 'of other' });
  const asked = 'files.getUploadURLExternal {"filename":"table.csv","length":2}';
  const before = [`limited ${asked}`, `other ${asked}`, 'other takes a turn', 'other reads', 'other sends to there'];
  expect(steps).toEqual(before);
  limited.resolve('late');
  expect(await waits).toEqual({ id: 'f', slackId: 'of limited' });
  expect(steps).toEqual([...before, 'limited takes a turn', 'limited reads', 'limited sends to late']);
  expect(uploaded.map(String)).toEqual(['ab', 'ab']);
});
