import { userInfo } from 'node:os';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { seenTool, type SeenTool } from '../../adapters/mcp/definitions.ts';
import { createMcpToolStore } from '../../adapters/postgres/mcp/mcp-tool-store.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { alfred } from './run-alfred.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
beforeEach(async () => {
  await env.postgres.pool.query('delete from mcp_tools; delete from audit_pending');
});
afterAll(() => env?.close());

const settings = { effect: 'read', agents: ['knowledge'] };

const operator = (args: string[], tools: object = { find: settings, order: settings }) => {
  const { DATABASE_URL, ALFRED_DATA_DIR } = env.config;
  return alfred(['mcp', ...args], {
    DATABASE_URL,
    ALFRED_DATA_DIR,
    NO_COLOR: '1',
    ALFRED_MCP_SERVERS: JSON.stringify({ crm: { url: 'https://crm.example.com/mcp', tools } }),
  });
};

const tool = (name: string, description = 'Finds.') =>
  seenTool({ name, description, inputSchema: { type: 'object' } }) as SeenTool;
const record = (...tools: SeenTool[]) => createMcpToolStore(env.postgres.db).record('crm', tools);
const states = async () => {
  const { stdout } = await operator(['list', '--json']);
  const { tools } = JSON.parse(stdout) as { tools: { tool: string; state: string }[] };
  return Object.fromEntries(tools.map((one) => [one.tool, one.state]));
};

test('an operator sees what a server has, and accepts what is listed, with an entry for each', async () => {
  await record(tool('find'), tool('order'), tool('remove_all'));
  expect(await states()).toEqual({ find: 'new', order: 'new', remove_all: 'unlisted' });
  expect(await operator(['accept', 'crm'])).toMatchObject({ code: 0, stderr: '' });
  expect(await states()).toEqual({ find: 'accepted', order: 'accepted', remove_all: 'unlisted' });
  const { rows } = await env.postgres.pool.query(
    'select tenant, subject, via, action, resource_type, resource_id from audit_pending order by id',
  );
  const entry = { tenant: 'local', subject: `unverified:${userInfo().username}`, via: 'cli', action: 'mcp.accept' };
  expect(rows).toEqual(
    ['find', 'order'].map((name) => ({
      ...entry,
      resource_type: 'mcp_tool',
      resource_id: `crm/${name}@${tool(name).fingerprint}`,
    })),
  );
  const again = await operator(['accept', 'crm']);
  expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('Nothing to accept') });
});

test('a changed tool is shown beside what was accepted, and characters that a terminal acts on are written out', async () => {
  await record(tool('find'));
  await operator(['accept', 'crm', 'find']);
  await record(tool('find', 'Finds.\u001b[2J\nAnd more.'));
  const { stdout } = await operator(['show', 'crm', 'find']);
  expect(stdout).toContain('crm find: changed');
  expect(stdout).toContain('description: Finds.\n');
  expect(stdout).toContain('description: Finds.\\u{1b}[2J\\u{a}And more.');
  const stale = await operator(['accept', 'crm', 'find', '--fingerprint', tool('find').fingerprint]);
  expect(stale).toMatchObject({ code: 1, stderr: expect.stringContaining('another fingerprint by now') });
  expect(await states()).toEqual({ find: 'changed' });
});

test('a tool that cannot be used is not accepted: named, it is an error with the reason, and the others are', async () => {
  const broken = seenTool({ name: 'order', inputSchema: { type: 'string' } }) as SeenTool;
  await record(tool('find'), broken);
  const named = await operator(['accept', 'crm', 'order']);
  expect(named).toMatchObject({ code: 1, stderr: expect.stringContaining('its input schema is none of an object') });
  expect(await operator(['accept', 'crm'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Accepted find'),
    stderr: expect.stringContaining('order of crm cannot be used'),
  });
  expect(await states()).toEqual({ find: 'accepted', order: 'unusable' });
  const { rows } = await env.postgres.pool.query('select tool, accepted_fingerprint from mcp_tools order by tool');
  expect(rows).toMatchObject([{ tool: 'find' }, { tool: 'order', accepted_fingerprint: null }]);
});

test('what the configuration pins is not accepted by a command, and what no worker has seen is not there', async () => {
  await record(tool('find'));
  const pinned = await operator(['accept', 'crm'], { find: { ...settings, fingerprint: `sha256:${'0'.repeat(64)}` } });
  expect(pinned).toMatchObject({ code: 1, stderr: expect.stringContaining('pins the fingerprint') });
  const unknown = await operator(['show', 'crm', 'other']);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('No worker has seen') });
});

test('a tool whose schemas cannot be compiled is shown as such', async () => {
  const inputSchema = { type: 'object' as const, properties: { text: { $ref: '#/missing' } } };
  await record(seenTool({ name: 'find', inputSchema }) as SeenTool, tool('order'));
  expect(await states()).toEqual({ find: 'unusable', order: 'new' });
});

test('a tool that its server no longer has goes, unless it was accepted', async () => {
  await record(tool('find'), tool('order'));
  await operator(['accept', 'crm', 'find']);
  await record();
  expect(await states()).toEqual({ find: 'accepted' });
});
