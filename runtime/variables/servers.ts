import { z } from 'zod';
import { AllowedHost, commaSeparated } from '../settings-schemas.ts';
import { flag, port, url } from './values.ts';

/** Variables for the addresses of Postgres, Temporal and Alfred itself. */
export const servers = {
  DATABASE_URL: url(/^postgres(ql)?:$/, 'postgres://user:password@host:port/database').describe(
    'Postgres, the one place where content lives',
  ),
  DATABASE_PASSWORD_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'file with the password, in place of the one in DATABASE_URL; read for every new connection, so that it can be rotated without a restart',
    ),
  DATABASE_DIRECT_URL: url(/^postgres(ql)?:$/, 'postgres://user:password@host:port/database')
    .optional()
    .describe(
      'the same database without a pooler in between, for migrations, for LISTEN and for the leases of model calls, which a pooler in transaction mode cannot carry; default: DATABASE_URL',
    ),
  DATABASE_PREPARED_STATEMENTS: flag
    .default(true)
    .describe('false: for a pooler that does not know prepared statements, like PgBouncer before 1.21'),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(500).default(20).describe('connections per process'),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/:]+:\d+$|^\[[0-9a-f:]+\]:\d+$/i, 'expected host:port')
    .default('127.0.0.1:7233')
    .describe('Temporal frontend'),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default').describe('Temporal namespace'),
  TEMPORAL_API_KEY: z.string().min(1).optional().describe('API key for Temporal Cloud; switches TLS on'),
  TEMPORAL_TLS: flag.default(false).describe('true: connect with TLS'),
  TEMPORAL_TLS_SERVER_CA_FILE: z.string().optional().describe('file with the CA that signed the server’s certificate'),
  TEMPORAL_TLS_CERT_FILE: z.string().optional().describe('file with the client certificate (mTLS)'),
  TEMPORAL_TLS_KEY_FILE: z.string().optional().describe('file with the client key (mTLS)'),
  TEMPORAL_UI_URL: url(/^https?:$/, 'http://host:port')
    .default('http://127.0.0.1:8233')
    .describe('Temporal Web UI, for links'),
  ALFRED_API_HOST: z.string().min(1).default('127.0.0.1').describe('address the API binds to'),
  ALFRED_API_PORT: port.default(8080).describe('port of the API'),
  ALFRED_ALLOW_UNAUTHENTICATED_NETWORK: z
    .enum(['true', 'false', 'containers'])
    .transform((value) => (value === 'containers' ? value : value === 'true'))
    .default(false)
    .describe(
      'true: let the API bind beyond loopback without OIDC_ISSUER, so that everybody there has every right; containers: the same in a closed container network, while ALFRED_API_HOSTS names containers like api:8080 only. Requests are still checked, see ALFRED_API_HOSTS',
    ),
  ALFRED_API_HOSTS: commaSeparated(AllowedHost)
    .default([])
    .describe(
      'names under which the API may be addressed beside those of this machine, like api:8080 or alfred.example.com (any port); separated by commas',
    ),
  ALFRED_SKIP_HOST_CHECKS: flag
    .default(false)
    .describe(
      'true: the API answers requests for every `Host` and from every `Origin`, so that any web page that a user opens may use it; only behind a proxy that checks both',
    ),
  ALFRED_HEALTH_HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('address of a worker’s health and metrics server'),
  ALFRED_HEALTH_PORT: port.default(9464).describe('port of a worker’s health and metrics server; 0 takes a free one'),
  ALFRED_QUEUES: z
    .string()
    .regex(/^[\w-]+(,[\w-]+)*$/, 'expected names separated by commas')
    .optional()
    .describe('task queues a worker serves, when --queue is not given; default all'),
} as const;
