import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { buildWorkflowBundle } from '../../workers/bundle.ts';

let code: string;
beforeAll(async () => {
  ({ code } = await buildWorkflowBundle(pino({ level: 'silent' })));
});

test('the workflow bundle holds Temporal, its own dependencies and no other library', () => {
  // Module ids of the bundler, like "./node_modules/zod/index.js".
  const names = [...code.matchAll(/node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//g)].map(([, name]) => name);
  expect([...new Set(names)].sort()).toEqual(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']);
});

test('the modules of the bundle run once in a worker, and keep no state that workflows would share', async () => {
  expect(code).toMatch(/preloadModules\(\) \{\s*__webpack_require__\([^)]*"\.\/workflows\/index\.ts"\)/);
  const modules = [...code.matchAll(/^\/\*\*\*\/ "\.\/((?:agents|contract|workflows)\/[\w/-]+\.ts)"/gm)];
  expect(modules.length).toBeGreaterThan(20);
  for (const [, name = ''] of modules) {
    const source = await readFile(new URL(`../../${name}`, import.meta.url), 'utf8');
    const variables = source.match(/^(export )?(let|var) .*|^(export )?const \w+ = (\[\]|\{\}|new \w*(Map|Set)\b).*/gm);
    expect({ name, variables }).toEqual({ name, variables: null });
  }
});
