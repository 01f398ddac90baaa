import { afterAll, beforeAll } from '@jest/globals';
import { createMessageStore } from '../../../adapters/postgres/messages/message-store.ts';
import { applyCompaction, planFit } from '../../../activities/context/fit-context.ts';
import type { MessageStore, Message } from '../../../contract/ports/index.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { StoredMessage } from '../../../contract/messages.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local, sha256 } from '../../support/documents/put-document.ts';

/** A step of a conversation: a text of a person, or a text of the model with the outputs of the tools that it calls. */
export type Step = { ask: string; because?: 'output_invalid' } | { say: string; outputs?: JsonValue[] };

type Summarise = (messages: Message[], maxTokens: number) => Promise<string>;

export const overheadBytes = 400;
export const outputTokens = 200;
/** A model with a window of so many input tokens. */
const facts = (window: number) => ({ name: 'scripted:x', contextTokens: window + outputTokens });
const failSummary = () => Promise.reject(new Error('a summary was not needed'));

/** A text of so many tokens, as they are estimated. */
export const words = (tokens: number) => 'word'.repeat(tokens);

/** Stored conversations, on a database of their own, and the fitting of them to a model's window. */
export function useStoredChains() {
  let env: TestEnvironment;
  let messageStore: MessageStore;
  beforeAll(async () => {
    env = await createTestEnvironment();
    messageStore = createMessageStore(env.postgres.db);
  });
  afterAll(() => env?.close());

  async function storeOutput(output: JsonValue): Promise<string> {
    const text = JSON.stringify(output);
    const statement =
      'insert into contents (tenant, subject, hash, bytes) values ($1, $2, $3, $4) on conflict do nothing';
    await env.postgres.pool.query(statement, [local.tenant, local.subject, sha256(text), Buffer.from(text)]);
    return sha256(text);
  }

  return {
    get messageStore() {
      return messageStore;
    },

    /** Stores the steps after `parent`. @returns the head of the chain */
    async chainOf(steps: Step[], parent: string | null = null): Promise<string> {
      let calls = 0;
      let head = parent;
      const add = async (message: StoredMessage) => {
        head = await messageStore.append(local, head, message);
      };
      for (const step of steps) {
        if ('ask' in step) {
          await add({ role: 'user', text: step.ask, ...(step.because ? { because: step.because } : {}) });
          continue;
        }
        const ids = step.outputs?.map(() => `${head?.slice(0, 6)}-${calls++}`) ?? [];
        await add({
          role: 'assistant',
          parts: [
            { type: 'text', text: step.say },
            ...ids.map((callId) => ({ type: 'tool_call' as const, callId, tool: 'look', arguments: {} })),
          ],
        });
        if (!step.outputs) continue;
        const hashes = await Promise.all(step.outputs.map(storeOutput));
        const results = hashes.map((result, i) => ({ callId: ids[i] ?? '', tool: 'look', result, isError: false }));
        await add({ role: 'tool', results });
      }
      return head ?? '';
    },

    /** Stores that a model has counted so many tokens up to this message. */
    storeCount: (head: string, tokens: number, by = 'scripted:x') =>
      env.postgres.pool.query('update messages set context_tokens = $2, counted_by = $3 where hash = $1', [
        head,
        tokens,
        by,
      ]),

    async parentOf(head: string): Promise<string> {
      const { rows } = await env.postgres.pool.query<{ parent: string }>(
        'select parent from messages where hash = $1',
        [head],
      );
      return rows[0]?.parent ?? '';
    },

    /** Fits a conversation into a window of so many input tokens. */
    async fit(head: string, window: number, summarise: Summarise = failSummary, force = false) {
      const request = { task: local, head, facts: facts(window), outputTokens, overheadBytes, force };
      const plan = await planFit(messageStore, request);
      if ('fitted' in plan) return plan.fitted;
      const { toSummarise } = plan.compaction;
      const summary = toSummarise && (await summarise(toSummarise.messages, toSummarise.maxTokens));
      return applyCompaction(messageStore, request, plan.compaction, summary);
    },
  };
}
