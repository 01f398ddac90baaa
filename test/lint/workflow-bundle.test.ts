import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { buildWorkflowBundle } from '../../workers/bundle.ts';

test('the workflow bundle holds Temporal, its own dependencies and no other library', async () => {
  const { code } = await buildWorkflowBundle(pino({ level: 'silent' }));
  // Module ids of the bundler, like "./node_modules/zod/index.js".
  const names = [...code.matchAll(/node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//g)].map(([, name]) => name);
  expect([...new Set(names)].sort()).toEqual(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']);
});
