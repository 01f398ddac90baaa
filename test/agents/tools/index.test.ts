import { describe, expect, test } from '@jest/globals';
import { createSmtpTransport } from '../../../adapters/mail/smtp-transport.ts';
import { createOutbound } from '../../../adapters/outbound/outbound.ts';
import { createWebhooks } from '../../../adapters/outbound/webhooks.ts';
import { createActingTools, createTools } from '../../../agents/tools/index.ts';
import { agents } from '../../../agents/index.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { Memory } from '../../../contract/memories.ts';
import { loadConfig } from '../../../runtime/config.ts';

const database = { DATABASE_URL: 'postgres://alfred@127.0.0.1/alfred' };
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const mail = { ALFRED_SMTP_URL: 'smtp://user:hunter2@mail.example.com:587', ALFRED_MAIL_FROM: 'alfred@example.com' };

/** Names of the acting tools of a configuration, with the adapters that wiring creates for it. */
function toolNames(environment: Record<string, string>) {
  const config = loadConfig({ ...database, ...environment });
  const webhooks = createWebhooks(createOutbound({ allow: [] }));
  const mail = config.ALFRED_SMTP_URL ? createSmtpTransport({ url: config.ALFRED_SMTP_URL }) : undefined;
  return createActingTools(config, { webhooks, mail }).map(({ name }) => name);
}

/** Message of the error that loading the configuration throws. */
function configErrorOf(environment: Record<string, string>): string {
  try {
    toolNames(environment);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
}

test('agents get the acting tools that are configured, and no others', () => {
  expect(toolNames({})).toEqual([]);
  expect(toolNames({ ALFRED_WEBHOOK_SECRET: secret })).toEqual(['send_webhook']);
  expect(toolNames(mail)).toEqual(['send_email']);
  expect(toolNames({ ...mail, ALFRED_WEBHOOK_SECRET: secret })).toEqual(['send_webhook', 'send_email']);
});

test('startup fails for a mail server without a sender and for invalid addresses, without showing secrets', () => {
  const faults: [Record<string, string>, string][] = [
    [{ ALFRED_SMTP_URL: mail.ALFRED_SMTP_URL }, 'ALFRED_MAIL_FROM is not set'],
    [{ ALFRED_MAIL_FROM: mail.ALFRED_MAIL_FROM }, 'ALFRED_SMTP_URL is not set'],
    [{ ...mail, ALFRED_MAIL_FROM: 'alfred' }, 'ALFRED_MAIL_FROM is "alfred"'],
    [{ ALFRED_WEBHOOK_SECRET: 'hunter2' }, 'ALFRED_WEBHOOK_SECRET is wrong'],
    [{ ALFRED_WEBHOOK_HOSTS: 'https://a.example' }, 'ALFRED_WEBHOOK_HOSTS'],
    [{ ALFRED_OUTBOUND_ALLOW: '10.0.0.0/8,10.0.0.0/33' }, 'ALFRED_OUTBOUND_ALLOW'],
  ];
  for (const [environment, expected] of faults) {
    const message = configErrorOf(environment);
    expect(message).toContain(expected);
    expect(message).not.toContain('hunter2');
  }
});

test('every change that the assistant makes outside of Alfred needs an approval', () => {
  expect(agents['assistant']).toMatchObject({
    tools: [
      'search_documents',
      'read_document',
      'run_code',
      'find_contacts',
      'send_webhook',
      'send_email',
      'remember',
      'forget',
    ],
    approvals: [{ tool: '*' }],
  });
});

describe('every tool that changes something', () => {
  /** An input of each. A tool that is added needs one here. */
  const inputs: Record<string, JsonValue> = {
    send_webhook: { url: 'https://hooks.example.com/', type: 'order.approved', data: {} },
    remember: { text: 'I work in Paris.' },
    forget: { id: '0199c7a2-6f1e-7c3a-9d55-0a4f3b2c1d10' },
    send_email: { to: ['ann@example.com'], subject: 'Hello', text: 'Hello.' },
  };
  /** Ports that send after they have asked, as their contracts say. @param sent is called in place of sending */
  const toolsWith = (sent: () => void) => {
    const send = async ({ beforeSend }: { beforeSend?: (() => Promise<void>) | undefined }) => {
      await beforeSend?.();
      sent();
    };
    const unused = () => Promise.reject(new Error('this port is not used'));
    const config = loadConfig({ ...database, ...mail, ALFRED_WEBHOOK_SECRET: secret });
    const tools = createTools(config, {
      index: { search: unused },
      documents: { read: unused, readOriginal: unused, findByName: unused },
      sheets: { readSheets: unused },
      contacts: { list: unused },
      tasks: { getCurrentRoles: unused },
      messageStore: { findToolResult: unused },
      sandbox: { run: unused },
      social: { states: () => [], read: unused, findVideos: unused, readCadence: unused },
      socialWatches: { see: unused, noteFailure: unused, removeOld: unused },
      memories: {
        create: async () => {
          await send({});
          return { id: 'm', expiresAt: '2027-01-01' } as Memory;
        },
        delete: async () => {
          await send({});
          return undefined;
        },
      },
      webhooks: {
        send: async (_, options) => {
          await send(options);
          return { receiver: 'hooks.example.com:443', status: 200, text: '' };
        },
      },
      mail: {
        send: async ({ to }, options) => {
          await send(options);
          return { accepted: to, rejected: [] };
        },
      },
    });
    return Object.values(tools).filter(({ effect }) => effect === 'write');
  };

  test('claims its request right before it is sent, once', async () => {
    const moments: string[] = [];
    const tools = toolsWith(() => moments.push('sent'));
    expect(tools.map(({ name }) => name).sort()).toEqual(Object.keys(inputs).sort());
    for (const tool of tools) {
      moments.length = 0;
      await tool.run(inputs[tool.name] ?? null, {
        scope: { tenant: 'local', subject: 'local' },
        taskId: 'task',
        receiptKey: 'task/1/call',
        signal: new AbortController().signal,
        beforeSend: async () => void moments.push('claimed'),
      });
      expect({ tool: tool.name, moments }).toEqual({ tool: tool.name, moments: ['claimed', 'sent'] });
    }
  });
});
