import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import type { WorkflowBundle } from '@temporalio/worker';
import { pino } from 'pino';
import { largePayloads, readHistory } from '../../cli/replay/history-file.ts';
import { replayHistory } from '../../cli/replay/replay-history.ts';
import { buildWorkflowBundle } from '../../workers/bundle.ts';

const folder = fileURLToPath(new URL('../histories/', import.meta.url));
const recorded = readdirSync(folder).filter((name) => name.endsWith('.json'));

let bundle: WorkflowBundle;
beforeAll(async () => {
  bundle = await buildWorkflowBundle(pino({ level: 'silent' }));
});

test('there are recorded histories to replay', () => {
  expect(recorded.length).toBeGreaterThan(0);
});

test.each(recorded)('%s replays against the code in the tree and holds references only', async (name) => {
  const history = await readHistory(join(folder, name));
  expect(largePayloads(history)).toEqual([]);
  const replay = await replayHistory(bundle, history);
  expect(replay.isSame ? 'same' : replay.divergence).toBe('same');
});

test('a changed history does not replay', async () => {
  const history = await readHistory(join(folder, recorded.find((name) => name.startsWith('agentTaskWorkflow')) ?? ''));
  const scheduled = history.events?.find((event) => event.activityTaskScheduledEventAttributes);
  const type = scheduled?.activityTaskScheduledEventAttributes?.activityType;
  if (!type) throw new Error('the recorded history schedules no activity');
  type.name = 'somethingElse';
  const replay = await replayHistory(bundle, history);
  expect(replay.isSame ? '' : replay.divergence).toContain('somethingElse');
});
