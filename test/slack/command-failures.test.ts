import { expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { SlackCallError } from '../../slack/api-calls/call-error.ts';
import { createPeople } from '../../slack/asking/people.ts';
import type { SlackCommand } from '../../slack/commands/command.ts';
import { createCommands } from '../../slack/commands/run-command.ts';
import { attemptsBeforeNotice } from '../../slack/failures.ts';

const command: SlackCommand = {
  key: 'k',
  team: 'T1',
  channel: 'C1',
  userId: 'U1',
  word: 'ask',
  rest: 'Why?',
  responseUrl: undefined,
};

/** Runs `/alfred ask`, which fails. @returns what the person reads, and with what the command ended */
async function runFailing(error: Error, { attempts = 1, replyError }: { attempts?: number; replyError?: Error } = {}) {
  const replied: string[] = [];
  const run = createCommands({
    ask: async () => {
      throw error;
    },
    replies: {
      send: async (_: unknown, { text }: { text: string }) => {
        if (replyError) throw replyError;
        replied.push(text);
      },
    },
    log: { warn: () => undefined, error: () => undefined },
  } as unknown as Parameters<typeof createCommands>[0]);
  const thrown = await run(command, attempts).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { replied, thrown };
}

test('a question that Slack refuses to show is answered in private, by another way', async () => {
  const { replied, thrown } = await runFailing(new SlackCallError('chat.postMessage', 'invalid_blocks', 'refused'));
  expect(replied).toEqual([expect.stringContaining('Something went wrong on our side')]);
  expect(thrown).toBeUndefined();
});

test.each([
  ['Temporal', new AlfredError('temporal_unavailable')],
  ['Slack', new SlackCallError('conversations.info', 'missing_scope', 'refused')],
])('while %s is away the command is repeated, and says once that it waits', async (_, error) => {
  const counts = [];
  for (let attempts = 1; attempts <= attemptsBeforeNotice + 1; attempts++) {
    const { replied, thrown } = await runFailing(error, { attempts });
    expect(thrown).toBe(error);
    counts.push(replied.length);
  }
  expect(counts).toEqual([0, 0, 1, 0]);
});

test('an answer that Slack does not take now is not lost', async () => {
  const replyError = new SlackCallError('response_url', 'unavailable', 'unknown');
  const { thrown } = await runFailing(new AlfredError('invalid_request', 'It is too long.'), { replyError });
  expect(thrown).toBe(replyError);
});

test.each(['user_not_visible', 'user_not_found'])(
  'a person whom Slack does not show (%s) is an external one',
  async (code) => {
    const people = createPeople({
      call: async () => {
        throw new SlackCallError('users.info', code, 'refused');
      },
    } as unknown as Parameters<typeof createPeople>[0]);
    expect(await people.find('T1', 'U1')).toEqual({ kind: 'external', name: undefined });
  },
);
