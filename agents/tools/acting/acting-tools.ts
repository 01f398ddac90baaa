import type { Config } from '../../../runtime/config.ts';
import type { Tool, Webhooks } from '../../../contract/ports/index.ts';
import { createMailServer } from '../../../adapters/mail/mail-server.ts';
import { sendEmailTool } from './send-email.ts';
import { sendWebhookTool } from './send-webhook.ts';

type ActingConfig = Pick<
  Config,
  'ALFRED_WEBHOOK_SECRET' | 'ALFRED_WEBHOOK_HOSTS' | 'ALFRED_SMTP_URL' | 'ALFRED_MAIL_FROM' | 'ALFRED_MAIL_DOMAINS'
>;

/** What agents may change outside, as far as it is configured. */
export function createActingTools(config: ActingConfig, webhooks: Webhooks): Tool[] {
  const { ALFRED_WEBHOOK_SECRET: secret, ALFRED_SMTP_URL: url, ALFRED_MAIL_FROM: from } = config;
  return [
    ...(secret ? [sendWebhookTool(webhooks, { secret, hosts: config.ALFRED_WEBHOOK_HOSTS })] : []),
    ...(url && from ? [sendEmailTool(createMailServer({ url }), { from, domains: config.ALFRED_MAIL_DOMAINS })] : []),
  ];
}
