import { afterEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { sweepRetention, type RetentionSweepDeps } from '../../../activities/sweep/sweep-retention.ts';
import { createMetrics } from '../../../runtime/metrics.ts';

afterEach(() => void jest.restoreAllMocks());

const scope = { tenant: 'local', subject: 'local' };

/** Tasks without an end that are due, and conversations that have expired. */
function createDeps({ eraseTask, undeletable = [] }: { eraseTask: () => Promise<void>; undeletable?: string[] }) {
  const deleted: string[] = [];
  const conversations = Array.from({ length: 120 }, (_, n) => `c${n}`);
  const deps: RetentionSweepDeps = {
    callbacks: { removeOldSecrets: () => Promise.reject(new Error('no secrets')) },
    erasure: {
      listDue: async ({ after = '0', limit }) =>
        Array.from({ length: limit }, (_, n) => ({ ...scope, taskId: String(Number(after) + n + 1) })),
      eraseTask,
      listTenants: async () => ['local'],
      expireTasks: async () => 0,
      listExpiredConversations: async (_tenant, _days, { limit, skip }) =>
        conversations
          .filter((id) => !deleted.includes(id))
          .slice(skip, skip + limit)
          .map((conversationId) => ({ ...scope, conversationId, agent: 'knowledge' })),
    },
    conversationRows: {
      markDeleted: async (_scope, id) => {
        if (undeletable.includes(id)) throw new Error('a statement took too long');
        deleted.push(id);
        return { ...scope, conversationId: id, agent: 'knowledge' };
      },
    },
    messages: { wake: async () => {} },
    memories: { removeExpired: async () => 0 },
    socialWatches: { removeOld: async () => 0 },
    contactIngests: { removeExpired: async () => 0 },
    limits: { removeExpired: async () => 0 },
    browserSessions: { removeEnded: async () => 0 },
    slackRunResults: { giveUp: async () => [] },
    auditStore: { removeOldPending: async () => 0 },
    retentionOf: () => ({ conversationsDays: 30 }),
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
  };
  return { deps, deleted, conversations };
}

const sweep = (deps: RetentionSweepDeps) => sweepRetention(deps, new AbortController().signal);

test('erasures that fail end with a number of attempts, and those that hang with a time', async () => {
  const failing = jest.fn(() => Promise.reject(new Error('a statement took too long')));
  await expect(sweep(createDeps({ eraseTask: failing }).deps)).rejects.toHaveProperty('cause.message', 'no secrets');
  expect(failing).toHaveBeenCalledTimes(1_000);

  let now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  const hanging = jest.fn(async () => {
    now += 29_000;
    throw new Error('a statement took too long');
  });
  await expect(sweep(createDeps({ eraseTask: hanging }).deps)).rejects.toHaveProperty('cause.message', 'no secrets');
  expect(hanging).toHaveBeenCalledTimes(3);
});

test('conversations that cannot be deleted keep no other from it, nor does an error of another part', async () => {
  const undeletable = Array.from({ length: 55 }, (_, n) => `c${n}`);
  const { deps, deleted, conversations } = createDeps({ eraseTask: async () => {}, undeletable });
  await expect(sweep(deps)).rejects.toHaveProperty('cause.message', 'no secrets');
  expect(deleted).toEqual(conversations.slice(55));
});

test('what waited for the audit log in vain is removed with a warning that says how much it was', async () => {
  const { deps } = createDeps({ eraseTask: async () => {} });
  deps.callbacks.removeOldSecrets = async () => 0;
  deps.erasure.listDue = async () => [];
  const warned: unknown[] = [];
  const log = pino({}, { write: (line: string) => void warned.push(JSON.parse(line)) });
  const counts = [1_000, 7, 0];
  deps.auditStore.removeOldPending = async () => counts.shift() ?? 0;
  await sweep({ ...deps, log });
  await sweep({ ...deps, log });
  expect(warned.filter((line) => (line as { level: number }).level >= 40)).toMatchObject([{ removed: 1_007 }]);
});

test('answers of schedules that no Slack door has posted are given up with one line a tenant', async () => {
  const lines: object[] = [];
  const { deps } = createDeps({ eraseTask: async () => undefined });
  const rounds = [
    [
      { tenant: 'acme', count: 600 },
      { tenant: 'local', count: 400 },
    ],
    [{ tenant: 'acme', count: 3 }],
  ];
  await sweep({
    ...deps,
    callbacks: { removeOldSecrets: async () => 0 },
    erasure: { ...deps.erasure, listDue: async () => [] },
    slackRunResults: { giveUp: async () => rounds.shift() ?? [] },
    log: Object.assign(pino({ level: 'silent' }), { error: (fields: object) => void lines.push(fields) }),
  });
  expect(lines).toEqual([
    { tenant: 'acme', runs: 603 },
    { tenant: 'local', runs: 400 },
  ]);
});
