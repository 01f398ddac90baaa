import { expect, test } from '@jest/globals';
import { loadConfig } from '../../runtime/config.ts';
import { mcpToolName } from '../../runtime/mcp-settings.ts';

const load = (servers: unknown) =>
  loadConfig({
    DATABASE_URL: 'postgres://nobody@localhost/none',
    ALFRED_MCP_SERVERS: typeof servers === 'string' ? servers : JSON.stringify(servers),
  }).ALFRED_MCP_SERVERS;

const read = { effect: 'read', agents: ['knowledge'] };
const url = 'https://crm.example.com/mcp';

test('a server is an address or a program, and each has defaults', () => {
  expect(load({ crm: { url, tools: { find: read } }, files: { command: 'node', tools: {} } })).toMatchObject({
    crm: { timeoutS: 60, maxBytes: 2_000_000 },
    files: { command: 'node' },
  });
});

test.each([
  ['no JSON', '{crm', 'is not JSON'],
  ['neither an address nor a program', { crm: { tools: {} } }, 'one of the two'],
  ['both', { crm: { url, command: 'node', tools: {} } }, 'one of the two'],
  ['headers of a program', { crm: { command: 'node', headers: { a: 'b' }, tools: {} } }, 'goes with `url`'],
  [
    'a secret in a header',
    { crm: { url, headers: { Authorization: 'Bearer abc' }, tools: {} } },
    'variable of its own',
  ],
  ['a password in the address', { crm: { url: 'https://u:p@crm.example.com', tools: {} } }, 'no password'],
  ['an effect that does not exist', { crm: { url, tools: { find: { ...read, effect: 'maybe' } } } }, 'read or write'],
  ['a tool without agents', { crm: { url, tools: { find: { ...read, agents: [] } } } }, 'the agents that may call it'],
  ['a repeat of what reads', { crm: { url, tools: { find: { ...read, repeatable: true } } } }, 'the effect write'],
  ['two tools of one name', { crm: { url, tools: { 'a.b': read, 'a b': read } } }, 'would be called mcp_crm_a_b'],
  ['an unknown field', { crm: { url, tools: {}, trust: true } }, 'trust'],
])('%s is refused with what is expected', (_, servers, message) => {
  expect(() => load(servers)).toThrow(message);
});

test('a name has the characters and the length that providers take, and long ones stay apart', () => {
  expect(mcpToolName('crm', 'find customer/v2')).toBe('mcp_crm_find_customer_v2');
  const [one, two] = [mcpToolName('crm', `${'x'.repeat(100)}1`), mcpToolName('crm', `${'x'.repeat(100)}2`)];
  expect(one).toHaveLength(64);
  expect(one).not.toBe(two);
});
