import { expect, jest, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createToolActivities, type ToolDeps } from '../../../activities/acting/run-tool.ts';
import { createTurns } from '../../../activities/acting/turns.ts';
import type { Agent } from '../../../agents/agent.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { Tool, Workflows } from '../../../contract/ports/index.ts';
import { createMetrics } from '../../../runtime/metrics.ts';

type Ended = Awaited<ReturnType<Workflows['howAttemptEnded']>>;
type Counted = { lostWorkers: number; lostAlone: number; isSuspect: number; runsIn: number };
type Left = Counted & { waitedMs?: number; process?: number };
const thisProcess = 7;
type Given = {
  attempt: number;
  /** What the attempts before have left. */
  counted?: Left;
  ended?: Ended | Error;
  sent?: boolean;
  tool?: Partial<Tool>;
  /** This process stood still during the attempt before. */
  stoodStill?: boolean;
  startToCloseTimeoutMs?: number;
};

/** Runs one attempt at a call of a tool that is the agent's own. */
async function runAttempt({
  attempt,
  counted,
  ended = 'otherwise',
  sent = false,
  tool,
  stoodStill = false,
  startToCloseTimeoutMs = 300_000,
}: Given) {
  const run = jest.fn(async () => ({ output: 'done', summary: 'done' }));
  const ownTool = { name: 'own', description: '', inputSchema: {}, effect: 'write', run, ...tool } as Tool;
  const recorded: unknown[] = [];
  const isAlone: boolean[] = [];
  const waits: (number | undefined)[] = [];
  const turns = createTurns();
  const ledger = {
    beginToolCall: async () => ({ sent }),
    completeToolCall: async (_: unknown, { output, summary, isError }: Record<string, unknown>) => ({
      output,
      summary,
      isError,
    }),
  };
  const deps = {
    agents: {
      one: { name: 'one', tools: ['own'], ownTools: { own: ownTool }, withoutApproval: ['own'] } as never as Agent,
    },
    tools: {},
    config: {},
    metrics: createMetrics(),
    ledger,
    messageStore: { loadToolArguments: async () => ({ arguments: {} }) },
    tenants: { find: async () => ({ state: 'active', agents: new Map() }) },
    approvalsOf: () => [],
    toolRolesOf: () => undefined,
    resultCharactersOf: () => 1_000,
    effects: { claimSend: async () => {}, recordNoEffect: async () => {} },
    log: { warn: () => {}, error: () => {} },
    callTurns: {
      take(alone: boolean, signal: AbortSignal, mostMs?: number) {
        isAlone.push(alone);
        waits.push(mostMs);
        return turns.take(alone, signal, mostMs);
      },
    },
    workerProcess: {
      id: thisProcess,
      watch: () => () => {},
      stoodStill: (key: string) => stoodStill && key.endsWith(`/${attempt - 1}`),
    },
    workflows: {
      howAttemptEnded: async () => {
        if (ended instanceof Error) throw ended;
        return ended;
      },
      recordProgress: async (_: unknown, progress: unknown) => void recorded.push(progress),
    },
  } as unknown as ToolDeps;
  const environment = new MockActivityEnvironment(
    { attempt, heartbeatDetails: counted, startToCloseTimeoutMs },
    { logger: new DefaultLogger('ERROR') },
  );
  const task = { taskId: 't', tenant: 'default', subject: 's', agent: 'one' };
  const result = environment.run(() =>
    createToolActivities(deps).runTool({ task, step: 1, head: {} as never, call: { callId: 'c', tool: 'own' } }),
  );
  return { result: await result.catch((error: unknown) => error), run, recorded, isAlone, waits };
}
const count = (lostWorkers: number, lostAlone: number, isSuspect: number, runsIn: number): Counted => ({
  lostWorkers,
  lostAlone,
  isSuspect,
  runsIn,
});
const recordedNow = (counted: Counted) => ({ ...counted, process: thisProcess, waitedMs: expect.any(Number) });

test('a question to Temporal that fails is asked again: a call that may have left is not booked as failed', async () => {
  const ended = new AlfredError('temporal_unavailable');
  const { result, run } = await runAttempt({ attempt: 5, ended, sent: true });
  expect(result).toMatchObject({ code: 'temporal_unavailable' });
  expect(run).not.toHaveBeenCalled();
});

test('after the end of its worker a call runs alone, and that is recorded before', async () => {
  const { run, recorded, isAlone } = await runAttempt({ attempt: 2, counted: count(0, 0, 0, 1), ended: 'silent' });
  expect(run).toHaveBeenCalledTimes(1);
  expect(isAlone).toEqual([true]);
  expect(recorded).toEqual([recordedNow(count(1, 0, 1, 2))]);
});

test.each([
  ['the worker ended before the call had its turn', count(1, 1, 1, 2), 'silent', count(1, 1, 1, 4)],
  ['the worker ended while it ran alone', count(1, 0, 1, 3), 'silent', count(2, 1, 1, 4)],
  ['the attempt failed in another way', count(1, 1, 1, 3), 'otherwise', count(1, 1, 1, 4)],
  ['its time was over while it ran', count(0, 0, 0, 3), 'out_of_time', count(1, 1, 0, 4)],
  ['its time was over after a long wait', { ...count(1, 1, 1, 3), waitedMs: 60_000 }, 'out_of_time', count(1, 1, 1, 4)],
  ['its time was over while its result was stored', count(1, 1, 1, 0), 'out_of_time', count(1, 1, 1, 4)],
] as const)('of the attempt before: %s', async (_, counted, ended, expected) => {
  const { run, recorded } = await runAttempt({ attempt: 4, counted, ended });
  expect(run).toHaveBeenCalledTimes(1);
  expect(recorded).toEqual([recordedNow(expected)]);
});

test('a silence of Temporal does not count while the process of the attempt lives on', async () => {
  const given = { attempt: 4, ended: 'silent' } as const;
  const first = await runAttempt({ ...given, counted: { ...count(0, 0, 0, 3), process: thisProcess } });
  expect([first.run.mock.calls.length, first.isAlone, first.recorded]).toEqual([1, [false], []]);
  const later = await runAttempt({ ...given, counted: { ...count(1, 1, 1, 3), process: thisProcess } });
  expect(later.recorded).toEqual([recordedNow(count(1, 1, 1, 4))]);
});

test('a silence counts of another process, and of this one when it stood still', async () => {
  const given = { attempt: 4, ended: 'silent' } as const;
  const other = await runAttempt({ ...given, counted: { ...count(1, 0, 1, 3), process: thisProcess + 1 } });
  expect(other.recorded).toEqual([recordedNow(count(2, 1, 1, 4))]);
  const counted = { ...count(1, 0, 1, 3), process: thisProcess };
  const stood = await runAttempt({ ...given, counted, stoodStill: true });
  expect(stood.recorded).toEqual([recordedNow(count(2, 1, 1, 4))]);
});

test.each([
  [{ timeoutMs: 240_000 }, 300_000, 40_000],
  [{}, 300_000, 160_000],
  [{ timeoutMs: 240_000 }, 200_000, 1_000],
] as const)(
  'the wait for a turn leaves the call its own time: %j of %d',
  async (tool, startToCloseTimeoutMs, mostMs) => {
    const { waits } = await runAttempt({ attempt: 1, tool, startToCloseTimeoutMs });
    expect(waits).toEqual([mostMs]);
  },
);

test('a call that hangs until the end of its time twice is not made again', async () => {
  const { result, run } = await runAttempt({ attempt: 3, counted: count(1, 1, 0, 2), ended: 'out_of_time' });
  expect(run).not.toHaveBeenCalled();
  expect(result).toMatchObject({ isError: true, summary: expect.stringMatching(/hung, 2 times while own ran/) });
});

test('a call that was sent is asked for before it is given up, once', async () => {
  const reconcile = jest.fn(async () => ({ state: 'done' as const, output: 'it is there', summary: 'found' }));
  const given = { attempt: 4, sent: true, tool: { reconcile }, ended: 'silent' } as const;
  const found = await runAttempt({ ...given, counted: count(2, 1, 1, 3) });
  expect(found.result).toMatchObject({ isError: false, summary: 'found' });
  expect(found.run).not.toHaveBeenCalled();
  expect(reconcile).toHaveBeenCalledTimes(1);
  // The question has ended the worker too.
  const { result } = await runAttempt({ ...given, counted: count(3, 2, 1, 3) });
  expect(reconcile).toHaveBeenCalledTimes(1);
  expect(result).toMatchObject({ isError: true, summary: expect.stringMatching(/may or may not/) });
});

test('a call that was sent and had no effect is given up as such', async () => {
  const tool = { reconcile: async () => ({ state: 'not_done' as const }) };
  const { result } = await runAttempt({ attempt: 4, sent: true, tool, ended: 'silent', counted: count(2, 1, 1, 3) });
  expect(result).toMatchObject({ isError: true, summary: expect.stringMatching(/Do not call it again/) });
});
