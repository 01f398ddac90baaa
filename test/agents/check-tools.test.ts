import { expect, test } from '@jest/globals';
import type { Tool } from '../../contract/ports/index.ts';
import { agents, type Agent } from '../../agents/index.ts';
import { createTools } from '../../agents/tools/index.ts';
import { actingToolNames, toolNames } from '../../agents/tools/tool-names.ts';
import { loadConfig } from '../../runtime/config.ts';
import { rulesFor } from '../../agents/approval-rules.ts';
import { checkTools } from '../../agents/check-tools.ts';

const write = (name: string): Tool => ({
  name,
  description: '',
  inputSchema: {},
  effect: 'write',
  run: async () => ({ output: null, summary: '' }),
});
const tools = { send_email: write('send_email'), send_webhook: write('send_webhook'), refund: write('refund') };
const check = (settings: object = {}, own: Partial<Agent> = {}) =>
  checkTools(
    loadConfig({ DATABASE_URL: 'postgres://unused', ALFRED_AGENTS: JSON.stringify({ assistant: settings }) }),
    { ...agents, assistant: { ...(agents['assistant'] as Agent), ...own } },
    tools,
  );

test('an approval rule for a tool that the agent does not have is refused at startup, wherever it stands', () => {
  expect(() => check({ approvals: [{ tool: 'send_webhok' }] })).toThrow(
    /^ALFRED_AGENTS has an approval rule of assistant for the tool "send_webhok".*send_webhook/,
  );
  expect(() => check({}, { approvals: [{ tool: '*' }, { tool: 'refnd' }] })).toThrow(
    /^The folder of assistant has an approval rule of assistant for the tool "refnd"/,
  );
  expect(() => check({ withoutApproval: ['send_emial'] })).toThrow(/`withoutApproval` of assistant .*"send_emial"/);
  // Rules of the folder are checked although those of ALFRED_AGENTS take their place.
  expect(() => check({ approvals: [{ tool: '*' }] }, { approvals: [{ tool: 'refnd' }] })).toThrow(/"refnd"/);
});

test('roles for a tool that the agent does not have, or an empty list of them, are refused at startup', () => {
  expect(() => check({ tools: { send_emial: { roles: ['office'] } } })).toThrow(
    /^ALFRED_AGENTS has roles in the `tools` of assistant for the tool "send_emial".*send_email/,
  );
  expect(() => check({ tools: { send_email: { roles: [] } } })).toThrow(/ALFRED_AGENTS.*tools\.send_email\.roles/);
  expect(() => check({ tools: { send_email: {} } })).toThrow(/ALFRED_AGENTS.*tools\.send_email\.roles/);
  expect(() => check({ tools: { send_email: { roles: ['office'] } } })).not.toThrow();
});

test('an agent that names a tool which does not exist is refused at startup', () => {
  expect(() => check({}, { tools: ['read_ordr', 'refund'] })).toThrow(
    /^The agent assistant names the tool "read_ordr", which does not exist. There are: .*refund/,
  );
});

test('a tool that exists and is not configured may be named', () => {
  expect(() => check({}, { tools: ['read_result', 'search_documents', 'send_email'] })).not.toThrow();
});

test('a tool with effects needs an approval rule, or says that it needs none', () => {
  expect(() => check()).not.toThrow();
  expect(() => check({ approvals: [{ tool: '*' }] })).not.toThrow();
  expect(() => check({ approvals: [{ tool: 'send_email' }] })).toThrow(
    /assistant may call "send_webhook", which changes something, and no approval rule/,
  );
  expect(() => check({ approvals: [{ tool: 'send_email' }], withoutApproval: ['send_webhook'] })).not.toThrow();
  expect(() => check({ approvals: [] })).toThrow(/send_webhook/);
  expect(() => check({}, { tools: ['refund'], approvals: [] })).toThrow(/"refund"/);
  expect(() => check({}, { tools: ['refund'], approvals: [], withoutApproval: ['refund'] })).not.toThrow();
  // Who runs the agent may ask for an approval where its author does not.
  expect(() =>
    check({ approvals: [{ tool: 'refund' }] }, { tools: ['refund'], withoutApproval: ['refund'] }),
  ).not.toThrow();
});

test('a tool that changes only what its person keeps needs no rule, is left out by a rule for all, and takes one by its name', () => {
  const note = { ...write('remember'), needsNoRule: true as const };
  const rules = (own: Partial<Agent>) =>
    rulesFor({ agents: { a: { ...(agents['assistant'] as Agent), ...own } }, approvalsOf: () => undefined }, 'a', note);
  expect(rules({ approvals: [{ tool: '*' }] })).toEqual([]);
  expect(rules({ approvals: [{ tool: 'remember' }] })).toHaveLength(1);
  const config = loadConfig({ DATABASE_URL: 'postgres://unused' });
  const only = { ...(agents['assistant'] as Agent), tools: ['remember'], approvals: [] };
  expect(() => checkTools(config, { assistant: only }, { remember: note })).not.toThrow();
});

test('a rule and an exemption for one tool are refused with where the rule stands', () => {
  expect(() => check({ withoutApproval: ['send_email'] })).toThrow(
    /"send_email" and names it in `withoutApproval`: the rule stands in the agent's folder, .*give `approvals` in ALFRED_AGENTS/,
  );
  const both = { approvals: [{ tool: 'send_webhook' }], withoutApproval: ['send_email'] };
  expect(() => check(both)).not.toThrow();
  expect(() => check({ ...both, withoutApproval: ['send_webhook'] })).toThrow(/remove one of the two in ALFRED_AGENTS/);
});

test('the list of tool names has every tool', () => {
  const config = loadConfig({
    DATABASE_URL: 'postgres://unused',
    ALFRED_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24).toString('base64')}`,
    ALFRED_SMTP_URL: 'smtp://127.0.0.1:25',
    ALFRED_MAIL_FROM: 'alfred@example.com',
  });
  const ports = {
    index: {},
    documents: {},
    contacts: {},
    tasks: {},
    messageStore: {},
    sandbox: {},
    memories: {},
    webhooks: {},
    mail: {},
  } as Parameters<typeof createTools>[1];
  const all = createTools(config, ports);
  expect(Object.keys(all)).toEqual(toolNames);
  expect(toolNames.filter((name) => all[name]?.effect)).toEqual(actingToolNames);
});
