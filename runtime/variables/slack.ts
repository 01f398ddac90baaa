import { z } from 'zod';
import { TenantName } from '../identity-settings.ts';
import { port, url } from './values.ts';

const file = (what: string) => z.string().min(1).optional().describe(`file with the same: ${what}`);

const channelId = z
  .string()
  .regex(/^[CG][A-Z0-9]{6,}$/, 'expected the id of a channel, like C0123ABCD, which stands at the end of its details');

/** Variables for Slack. */
export const slack = {
  SLACK_BOT_TOKEN: z
    .string()
    .regex(/^xoxb-\S+$/, 'expected the "Bot User OAuth Token" of the Slack app, which begins with xoxb-')
    .optional()
    .describe('token by which Alfred writes in Slack, xoxb-…; without it Slack is off'),
  SLACK_BOT_TOKEN_FILE: file('xoxb-…'),
  SLACK_APP_TOKEN: z
    .string()
    .regex(/^xapp-\S+$/, 'expected an "App-Level Token" with the scope connections:write, which begins with xapp-')
    .optional()
    .describe('token by which Alfred opens sockets to Slack (Socket Mode), xapp-…; no address of its own is needed'),
  SLACK_APP_TOKEN_FILE: file('xapp-…'),
  SLACK_SIGNING_SECRET: z
    .string()
    .regex(/^\S{16,}$/, 'expected the "Signing Secret" of the Slack app')
    .optional()
    .describe(
      'secret that signs what Slack sends to /slack/events at SLACK_PORT, in place of sockets or beside them; without it such requests are refused',
    ),
  SLACK_SIGNING_SECRET_FILE: file('the secret'),
  SLACK_HOST: z.string().min(1).default('127.0.0.1').describe('address that the Slack door binds to'),
  SLACK_PORT: port
    .default(8011)
    .describe('port of the Slack door: /slack/events, /health, /healthz and /metrics; 0 takes a free one'),
  SLACK_TENANT: TenantName.optional().describe(
    'tenant of the people in Slack; needed with OIDC_ISSUER; default: local, that of the user of this machine',
  ),
  SLACK_AGENT: z.string().min(1).max(64).default('knowledge').describe('agent that answers in Slack'),
  SLACK_ALERTS_CHANNEL: channelId
    .optional()
    .describe('id of a channel of Slack, C…, in which Alfred says which tasks have failed; it must be a member there'),
  SLACK_APPROVALS_CHANNEL: channelId
    .optional()
    .describe(
      'id of a channel of Slack, C…, in which Alfred says what waits for an approval; it must be a member there',
    ),
  SLACK_API_URL: url(/^https?:$/, 'https://host/api/')
    .optional()
    .describe('Web API of Slack; default: https://slack.com/api/; another one for trials without a workspace'),
} as const;
