import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { BusyPolicy } from '../../contract/conversation.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import type { CheckedResponse } from './checked-client.ts';
import { transcript, openConversation } from './open-conversation.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

const clients = 10;
const messages = 50;

/** Ten clients send fifty messages, each of them twice at the same time. @returns both responses by message id */
async function storm(say: (text: string, more: object) => Promise<CheckedResponse>, onBusy: BusyPolicy) {
  const answers = new Map<string, CheckedResponse[]>();
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let n = client; n < messages; n += clients) {
        const id = `m${n}`;
        // A busy machine may answer 503; a repeat with the same id is the same message.
        const accepted = () =>
          until('the message is accepted', async () => {
            const answer = await say(`text ${n}`, { id, onBusy });
            return answer.status !== 503 && answer;
          });
        answers.set(id, await Promise.all([accepted(), accepted()]));
      }
    }),
  );
  return answers;
}

test.each<BusyPolicy>(['enqueue', 'interrupt', 'rollback', 'reject', 'steer'])(
  'fifty messages from ten clients, each sent twice, are stored once and in one order: %s',
  async (onBusy) => {
    const requests = api.script(() => ({ text: ['Yes.'] }));
    const conversation = await openConversation(api);
    const answers = await storm(conversation.say, onBusy);
    for (const [first, second] of answers.values()) {
      expect([202, 409]).toContain(first?.status);
      const { requestId: _, ...body } = first?.body;
      const { requestId: __, ...repeatedBody } = second?.body;
      expect([second?.status, repeatedBody]).toEqual([first?.status, body]);
    }
    const all = await conversation.quiet(100_000);
    const people = all.filter(({ role }) => role === 'user');
    expect(people.map(({ position }) => position)).toEqual(Array.from({ length: messages }, (_, n) => n + 1));
    expect(new Set(people.map(({ id }) => id)).size).toBe(messages);
    for (const { id, position, outcome } of people.filter((message) => message.outcome !== 'rejected'))
      expect(answers.get(id)?.[0]?.body).toMatchObject({ position, outcome });

    const known = new Set(['done', 'passed_over', 'rolled_back', 'rejected', 'steered']);
    expect(people.every(({ state }) => known.has(state))).toBe(true);
    const seqs = (await conversation.events()).map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_: number, i: number) => i + 1));
    // The last request contains every message that counts, in order.
    const counted = people.filter(({ state }) => ['done', 'passed_over', 'steered'].includes(state));
    const last = requests.at(-1)?.messages.flatMap((message) => (message.role === 'user' ? [message.text] : []));
    expect(last).toEqual(counted.map(({ text }) => text));
    if (onBusy !== 'interrupt' && onBusy !== 'rollback')
      expect(transcript(all).filter((line) => line === '> Yes.')).toHaveLength(
        people.filter(({ state }) => state === 'done').length,
      );
  },
  200_000,
);
