import { z } from 'zod';
import { Callback } from '../../contract/callback.ts';
import { McpServers } from '../mcp-settings.ts';
import { AddressRange, BucketPrefix, HostName, commaSeparated, jsonVariable, Mailbox } from '../settings-schemas.ts';
import { url } from './values.ts';

/** Variables for calls to addresses that users or models choose: webhooks, mail, sources. */
export const outbound = {
  ALFRED_OUTBOUND_ALLOW: commaSeparated(AddressRange)
    .default([])
    .describe(
      'IP addresses and ranges that webhooks, callbacks and sources may reach although they are not public, like 10.0.0.0/8; separated by commas',
    ),
  ALFRED_WEBHOOK_SECRET: Callback.shape.secret
    .optional()
    .describe('whsec_… that signs what agents send with send_webhook; without it they cannot'),
  ALFRED_WEBHOOK_HOSTS: commaSeparated(HostName)
    .default([])
    .describe('hosts that send_webhook may call, separated by commas; default: every public one'),
  ALFRED_SMTP_URL: url(/^smtps?:$/, 'smtp://user:password@host:587 or smtps://user:password@host')
    .optional()
    .describe(
      'mail server for send_email, smtp://user:password@host:587 or smtps://…; without it agents send no email',
    ),
  ALFRED_MAIL_FROM: Mailbox.optional().describe('sender of what send_email sends: an address, or Name <address>'),
  ALFRED_MAIL_DOMAINS: commaSeparated(HostName)
    .default([])
    .describe('domains that send_email may write to, separated by commas; default: every one'),
  ALFRED_MCP_SERVERS: jsonVariable(McpServers)
    .optional()
    .describe(
      'JSON by name: MCP servers, and which of their tools which agents get; see docs/how-to/use-mcp-servers.md; default: none',
    ),
  ALFRED_S3_PREFIXES: commaSeparated(BucketPrefix)
    .default([])
    .describe(
      'what sources of the kind s3 may read with Alfred’s credentials, like company-files or company-files/handbook; separated by commas; default: nothing',
    ),
  S3_ENDPOINT: url(/^https?:$/, 'http://host:port')
    .optional()
    .describe('server that speaks S3 (MinIO, https://storage.googleapis.com for GCS, …); default: AWS'),
  S3_REGION: z.string().min(1).default('us-east-1').describe('region of the buckets'),
  S3_ACCESS_KEY_ID: z
    .string()
    .min(1)
    .optional()
    .describe('key for S3 (for GCS an HMAC key); default: what AWS’s SDK finds, like AWS_ACCESS_KEY_ID or a role'),
  S3_SECRET_ACCESS_KEY: z.string().min(1).optional().describe('its secret'),
} as const;
