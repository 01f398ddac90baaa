import { expect, test } from '@jest/globals';
import { createOutbound } from '../../../adapters/outbound/outbound.ts';
import { createWebhooks } from '../../../adapters/outbound/webhooks.ts';
import { createActingTools } from '../../../agents/tools/acting/acting-tools.ts';
import { agents } from '../../../agents/index.ts';
import { loadConfig } from '../../../runtime/config.ts';

const database = { DATABASE_URL: 'postgres://alfred@127.0.0.1/alfred' };
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const mail = { ALFRED_SMTP_URL: 'smtp://user:hunter2@mail.example.com:587', ALFRED_MAIL_FROM: 'alfred@example.com' };
const toolsWith = (environment: Record<string, string>) =>
  createActingTools(loadConfig({ ...database, ...environment }), createWebhooks(createOutbound({ allow: [] }))).map(
    ({ name }) => name,
  );

test('agents can do what is configured, and nothing else', () => {
  expect(toolsWith({})).toEqual([]);
  expect(toolsWith({ ALFRED_WEBHOOK_SECRET: secret })).toEqual(['send_webhook']);
  expect(toolsWith(mail)).toEqual(['send_email']);
  expect(toolsWith({ ...mail, ALFRED_WEBHOOK_SECRET: secret })).toEqual(['send_webhook', 'send_email']);
});

test('a mail server without a sender, and addresses that are none, are told at the start', () => {
  const faults: [Record<string, string>, string][] = [
    [{ ALFRED_SMTP_URL: mail.ALFRED_SMTP_URL }, 'ALFRED_MAIL_FROM is not set'],
    [{ ALFRED_MAIL_FROM: mail.ALFRED_MAIL_FROM }, 'ALFRED_SMTP_URL is not set'],
    [{ ...mail, ALFRED_MAIL_FROM: 'alfred' }, 'ALFRED_MAIL_FROM is "alfred"'],
    [{ ALFRED_WEBHOOK_SECRET: 'hunter2' }, 'ALFRED_WEBHOOK_SECRET is wrong'],
    [{ ALFRED_WEBHOOK_HOSTS: 'https://a.example' }, 'ALFRED_WEBHOOK_HOSTS'],
    [{ ALFRED_OUTBOUND_ALLOW: '10.0.0.0/8,10.0.0.0/33' }, 'ALFRED_OUTBOUND_ALLOW'],
  ];
  for (const [environment, said] of faults) {
    expect(() => toolsWith(environment)).toThrow(said);
    expect(() => toolsWith(environment)).not.toThrow('hunter2');
  }
});

test('whatever the assistant may change waits for a person', () => {
  expect(agents['assistant']).toMatchObject({
    tools: ['search_documents', 'read_document', 'send_webhook', 'send_email'],
    approvals: [{ tool: '*' }],
  });
});
