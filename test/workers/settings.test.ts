import { expect, test } from '@jest/globals';
import type { Tool } from '../../contract/ports/index.ts';
import { agents } from '../../agents/index.ts';
import { loadConfig } from '../../runtime/config.ts';
import { checkApprovals } from '../../workers/settings.ts';

const write = (name: string): Tool => ({
  name,
  description: '',
  inputSchema: {},
  effect: 'write',
  run: async () => ({ output: null, summary: '' }),
});
const tools = { send_email: write('send_email'), send_webhook: write('send_webhook') };
const check = (approvals?: object[]) =>
  checkApprovals(
    loadConfig({
      DATABASE_URL: 'postgres://unused',
      ...(approvals ? { ALFRED_AGENTS: JSON.stringify({ assistant: { approvals } }) } : {}),
    }),
    agents,
    tools,
  );

test('an approval rule for a tool that the agent does not have is refused at startup', () => {
  expect(() => check([{ tool: 'send_webhok' }])).toThrow(
    /approval rule of assistant for the tool "send_webhok".*send_webhook/,
  );
});

test('tools with effects but without an approval rule are reported', () => {
  expect(check()).toEqual([]);
  expect(check([{ tool: '*' }])).toEqual([]);
  expect(check([{ tool: 'send_email' }])).toEqual([{ agent: 'assistant', tool: 'send_webhook' }]);
  expect(check([])).toHaveLength(2);
});
