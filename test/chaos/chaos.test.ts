import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createLogger } from '../../runtime/logger.ts';
import { runChaos } from './chaos.ts';

const seed = Number(process.env.ALFRED_TEST_SEED ?? Date.now() % 1_000_000);

/** The short form; `npm run chaos` is the long one. */
test('Postgres and Temporal are disturbed in every way and processes are killed: all tasks end right, nothing is paid or booked twice', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'alfred-chaos-'));
  const lines = [`ALFRED_TEST_SEED=${seed}`];
  const cleanups: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  try {
    const findings = await runChaos({
      tasks: 6,
      kills: 3,
      workers: 2,
      apis: 1,
      scale: 0.05,
      seed,
      dir,
      log: createLogger({ ALFRED_LOG_LEVEL: 'error', ALFRED_LOG_FORMAT: 'json' }, 'chaos'),
      cleanups,
      say: (line) => lines.push(line),
    });
    expect(findings.filter(({ isRight }) => !isRight)).toEqual([]);
    expect(findings).toContainEqual(expect.objectContaining({ what: 'tasks that ended right', seen: '6' }));
  } catch (error) {
    console.log(lines.join('\n'));
    throw error;
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}, 600_000);
