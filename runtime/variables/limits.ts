import { z } from 'zod';
import { defaultLimit } from '../limit-settings.ts';
import { AddressRange, commaSeparated, PageOrigin } from '../settings-schemas.ts';

const count = z.coerce.number('expected a number').int().min(0).max(1_000_000_000).optional();

/** Variables for what the API takes from whom, and how much. docs/how-to/limit-requests.md explains them. */
export const limits = {
  ALFRED_LIMIT_ADDRESS: count.describe(
    `requests a minute of one client address, in each process; ${defaultLimit('ALFRED_LIMIT_ADDRESS')}`,
  ),
  ALFRED_LIMIT_SUBJECT: count.describe(
    `requests a minute of one person or service, in each process; ${defaultLimit('ALFRED_LIMIT_SUBJECT')}`,
  ),
  ALFRED_LIMIT_TENANT: count.describe(
    `requests a minute of one tenant, in each process; ${defaultLimit('ALFRED_LIMIT_TENANT')}`,
  ),
  ALFRED_LIMIT_STARTS: count.describe(
    `tasks, messages, schedules and syncs that one person or service starts a minute, in all processes; a tenant may start 20 times as many; ${defaultLimit('ALFRED_LIMIT_STARTS')}`,
  ),
  ALFRED_LIMIT_UPLOADS: count.describe(
    `uploads a minute of one person or service, in all processes; a tenant may send 20 times as many; ${defaultLimit('ALFRED_LIMIT_UPLOADS')}`,
  ),
  ALFRED_LIMIT_SEARCHES: count.describe(
    `searches a minute of one person or service over HTTP or by /alfred documents, in all processes; a tenant may make 20 times as many; ${defaultLimit('ALFRED_LIMIT_SEARCHES')}`,
  ),
  ALFRED_LIMIT_STREAMS: count.describe(
    `event streams that one person or service may have open in one process; a tenant may have 20 times as many; ${defaultLimit('ALFRED_LIMIT_STREAMS')}`,
  ),
  ALFRED_LIMIT_CONCURRENT_UPLOADS: count.describe(
    `uploads that one person or service may have under way in one process; ${defaultLimit('ALFRED_LIMIT_CONCURRENT_UPLOADS')}`,
  ),
  ALFRED_MAX_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('connections that a process of the API, or the Slack door, has open; it closes those beyond'),
  ALFRED_TRUSTED_PROXIES: commaSeparated(AddressRange)
    .default([])
    .describe(
      'addresses of proxies whose `X-Forwarded-For` says where a request comes from, and whose `X-Forwarded-Proto` says how, like 10.0.0.0/8; separated by commas; default: none, and the address is that of the connection',
    ),
  ALFRED_CORS_ORIGINS: commaSeparated(PageOrigin)
    .default([])
    .describe(
      'pages of other sites that may use the API from a browser, like https://console.example.com; separated by commas; default: none',
    ),
  ALFRED_HSTS_S: z.coerce
    .number()
    .int()
    .min(0)
    .max(63_072_000)
    .default(31_536_000)
    .describe(
      'how long browsers use https only, in seconds, sent with answers to requests that came by https through a proxy of ALFRED_TRUSTED_PROXIES; 0: not sent',
    ),
  ALFRED_METRICS_NETWORKS: z
    .union([z.enum(['private', 'none']), commaSeparated(AddressRange)])
    .default('private')
    .describe(
      'with OIDC_ISSUER: from where `/metrics` of the API is read without a sign-in. private: from private networks and this machine; none: from nowhere, the safe value; or addresses like 10.0.5.0/24, separated by commas',
    ),
} as const;
