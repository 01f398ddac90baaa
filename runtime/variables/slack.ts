import { z } from 'zod';
import { TenantName } from '../identity-settings.ts';
import { isSessionKey } from '../session-key-text.ts';
import { commaSeparated } from '../settings-schemas.ts';
import { origin, port, url } from './values.ts';

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
    .describe('token by which Alfred writes in Slack, xoxb-…; without it and SLACK_CLIENT_ID Slack is off'),
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
  SLACK_CLIENT_ID: z
    .string()
    .regex(/^\d+\.\d+$/, 'expected the "Client ID" of the Slack app, two numbers with a dot between')
    .optional()
    .describe(
      'id of the Slack app, so that other workspaces install it at /slack/install; default: Alfred is only in the workspace of SLACK_BOT_TOKEN',
    ),
  SLACK_CLIENT_SECRET: z
    .string()
    .regex(/^\S{16,}$/, 'expected the "Client Secret" of the Slack app')
    .optional()
    .describe('secret of the Slack app, with which installations get their tokens'),
  SLACK_CLIENT_SECRET_FILE: file('the secret'),
  SLACK_PUBLIC_URL: origin
    .optional()
    .describe(
      'address of the Slack door in browsers; its /slack/oauth_redirect is a "Redirect URL" of the app; default: ALFRED_PUBLIC_URL',
    ),
  SLACK_INSTALLATION_KEY: commaSeparated(
    z.string().refine(isSessionKey, 'expected 32 random bytes or more: openssl rand -base64 32'),
  )
    .default([])
    .describe(
      'encrypts the tokens of installations: openssl rand -base64 32; several are separated by commas: the first encrypts, all decrypt',
    ),
  SLACK_INSTALLATION_KEY_FILE: file('a key a line'),
  SLACK_HOST: z.string().min(1).default('127.0.0.1').describe('address that the Slack door binds to'),
  SLACK_PORT: port
    .default(8011)
    .describe(
      'port of the Slack door: /slack/events, /slack/install, /health, /healthz and /metrics; 0 takes a free one',
    ),
  SLACK_TENANT: TenantName.optional().describe(
    'tenant of the people in Slack; needed with OIDC_ISSUER; default: local, that of the user of this machine',
  ),
  SLACK_LINK_BY_EMAIL: commaSeparated(
    z
      .string()
      .toLowerCase()
      .regex(
        /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])$/,
        'expected domains of e-mail addresses like example.com, without @ and *, separated by commas',
      ),
  )
    .default([])
    .describe(
      'domains whose e-mail addresses link a Slack user with the sign-in that has the same one, like example.com; several are separated by commas; the API needs the same value; default: people link themselves by /alfred link',
    ),
  SLACK_LINK_MAX_AGE_DAYS: z.coerce
    .number('expected days')
    .int()
    .min(1)
    .max(3_650)
    .default(30)
    .describe('so many days after the last sign-in of its subject a link of a Slack user does not count any more'),
  SLACK_AGENT: z
    .string()
    .min(1)
    .max(64)
    .default('alfred')
    .describe('agent that answers in Slack; alfred has other agents do what they are there for'),
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
