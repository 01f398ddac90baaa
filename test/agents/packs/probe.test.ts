import { realpath, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findPack } from '../../../agents/packs/find-pack.ts';
import { probePack } from '../../../agents/packs/probe.ts';
import { agentWithTool, plainAgent, writeFiles, writePack } from './write-pack.ts';

const reasonOf = async (files: Record<string, string>, { manifest = {}, timeoutMs = 60_000 } = {}) =>
  probePack(await writePack(files, manifest), { timeoutMs }).then(
    () => 'loaded',
    (error: Error) => error.message,
  );

test('a pack outside the tree is described without anything installed, in TypeScript and in JavaScript', async () => {
  const folder = await writePack({
    'agents/orders/agent.ts': agentWithTool('ok').replace('async ({ id })', 'async ({ id }: { id: string })'),
    'agents/plain/agent.js': plainAgent,
  });
  expect(await probePack(folder)).toEqual({
    name: 'test-pack',
    version: '1.2.3',
    folder: await realpath(folder),
    agents: [
      { name: 'orders', description: 'Reads orders.', tools: ['read_order'], variables: [], rules: [] },
      { name: 'plain', description: 'Answers.', tools: [], variables: [], rules: [] },
    ],
  });
});

test('a pack and Alfred have one zod, and a package of the pack has its own', async () => {
  const folder = await writePack({
    'agents/plain/agent.ts': `
      import { defineAgent, z } from 'alfred/agent';
      import { z as other } from 'zod';
      import { version } from 'needs-zod';
      if (z !== other) throw new Error('two copies of zod');
      export default defineAgent({ description: version, instructions: 'Answer.', tools: [] });`,
    'node_modules/needs-zod/package.json': '{"name": "needs-zod", "version": "1.0.0", "type": "module"}',
    'node_modules/needs-zod/index.js': `export { version } from 'zod';`,
    'node_modules/zod/package.json': '{"name": "zod", "version": "0.0.1", "type": "module"}',
    'node_modules/zod/index.js': `export const version = 'a zod of its own';`,
  });
  expect((await probePack(folder)).agents[0]?.description).toBe('a zod of its own');
});

test('a pack is tried without the variables of Alfred', async () => {
  const folder = await writePack({
    'agents/plain/agent.js': plainAgent.replace("'Answers.'", "'Sees: ' + Object.keys(process.env).join()"),
  });
  expect((await probePack(folder)).agents[0]?.description).toMatch(/^Sees: (NODE_CHANNEL\w*)?$/);
});

const agentFile = (text: string) => ({ 'agents/orders/agent.ts': text });
const tool = (fields: string) =>
  agentFile(`import { defineAgent, defineTool, z } from 'alfred/agent';
    const tool = defineTool({ name: 'read_order', description: 'Reads.', ${fields} });
    export default defineAgent({ description: 'A', instructions: 'B', tools: [tool] });`);
const run = 'run: async () => ({ output: 1, summary: "" })';

test.each<[string, Record<string, string>, RegExp]>([
  ['a syntax error', agentFile('export default {{'), /agents\/orders\/agent\.ts cannot be loaded: .*agent\.ts:1/],
  ['an import that is not there', agentFile(`import 'left-pad';`), /Cannot find package 'left-pad'/],
  ['no agent', agentFile('export const agent = { tools: [] };'), /exports no agent: expected `export default/],
  ['a tool without a schema', tool(run), /The tool "read_order" is not complete or not right: has no `input`/],
  ['a wrong schema of a tool', tool(`input: { id: 'string' }, ${run}`), /`input`: expected a schema like z\.object/],
  [
    'a schema of no object',
    tool(`input: z.string(), ${run}`),
    /`input` of the tool read_order .* no schema of an object/,
  ],
  [
    'a schema that no model can be shown',
    tool(`input: z.object({ at: z.date() }), ${run}`),
    /cannot be written as JSON Schema/,
  ],
  ['a tool without a function', tool('input: z.object({})'), /has no `run`/],
  ['an async `check`', tool(`input: z.object({}), check: async () => {}, ${run}`), /`check`: is async/],
  ['a mistyped field', tool(`input: z.object({}), efect: 'write', ${run}`), /"efect"/],
  [
    'a variable of Alfred',
    tool(`input: z.object({}), settings: { DATABASE_URL: { description: 'x' } }, ${run}`),
    /DATABASE_URL, which is a variable of Alfred/,
  ],
  [
    'the name of a shared tool',
    agentFile(agentWithTool('').replace("'read_order'", "'send_email'")),
    /"send_email", and a tool that all agents share/,
  ],
  ['process.exit', agentFile('process.exit(0);'), /its process ended with exit code 0 while it was loaded/],
  ['a native crash', agentFile('process.abort();'), /its process ended by SIGABRT/],
  [
    'a segmentation fault',
    agentFile(`process.kill(process.pid, 'SIGSEGV'); while (true);`),
    /its process ended by SIGSEGV/,
  ],
  [
    'a promise that no code awaits',
    agentFile(`Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 1000));`),
    /its process ended with exit code 1 .*lost/,
  ],
  ['no agents', {}, /it has no agents: expected agents\/<name>\/agent\.ts/],
  ['a name that no agent can have', { 'agents/My Agent/agent.ts': plainAgent }, /is no name of an agent/],
  [
    'two files',
    { 'agents/a/agent.ts': plainAgent, 'agents/a/agent.js': plainAgent },
    /has both agent\.ts and agent\.js/,
  ],
])('%s is a reason', async (_, files, reason) => {
  expect(await reasonOf(files)).toMatch(reason);
});

test('a pack that leaves another process behind does not keep the one that tries it', async () => {
  const leaves = `import { spawn } from 'node:child_process';
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }).unref();`;
  expect(await reasonOf({ 'agents/plain/agent.js': leaves + plainAgent })).toBe('loaded');
});

test.each([
  ['throws soon after', `setTimeout(() => { throw new Error('too late'); }, 50);`, /exit code 1.*too late/],
  ['listens', `import { createServer } from 'node:net'; createServer().listen(0);`, /leaves open .*TCP/],
  ['has a timer', `setInterval(() => {}, 1000);`, /leaves open .*Timeout/],
])('a pack that %s while it is loaded is refused', async (_, text, reason) => {
  expect(await reasonOf({ 'agents/plain/agent.js': text + plainAgent })).toMatch(reason);
});

test('an endless loop ends with the time limit', async () => {
  expect(await reasonOf(agentFile('while (true);'), { timeoutMs: 3_000 })).toBe('it was not loaded within 3 s');
});

test('a pack for another version of the surface, or without one, is refused before it runs', async () => {
  const files = agentFile('process.abort();');
  expect(await reasonOf(files, { manifest: { alfred: { surface: 2 } } })).toMatch(
    /asks for version 2 of alfred\/agent, and this Alfred has version 1/,
  );
  expect(await reasonOf(files, { manifest: { alfred: undefined } })).toMatch(/alfred: expected \{"surface": 1\}/);
  await expect(probePack('./no-such-pack')).rejects.toThrow(/there is no folder .*no-such-pack/);
});

test('TypeScript in an installed package is refused with what to do', async () => {
  const outer = await writePack({});
  const folder = join(outer, 'node_modules', 'orders-pack');
  await writeFiles(folder, {
    'package.json': '{"name": "orders-pack", "version": "1.0.0", "type": "module", "alfred": {"surface": 1}}',
    'agents/orders/agent.ts': plainAgent,
  });
  await expect(probePack(folder)).rejects.toThrow(/is TypeScript in an installed package.*publish .* compiled/);
  await rename(join(folder, 'agents/orders/agent.ts'), join(folder, 'agents/orders/agent.js'));
  expect((await probePack(folder)).agents).toMatchObject([{ name: 'orders' }]);
});

test('an entry without a slash is the name of an installed package, or else of a folder', async () => {
  expect(() => findPack('zod')).toThrow(/^its package\.json is not right: alfred: expected \{"surface": 1\}/);
  expect(() => findPack('no-such-package')).toThrow(/no installed package "no-such-package", and no folder/);
});
