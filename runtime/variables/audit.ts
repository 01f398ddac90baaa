import { z } from 'zod';
import { auditKeysIn } from '../audit-key-text.ts';
import { url } from './values.ts';

/** Variables for the audit log and for the detection of intrusions. */
export const audit = {
  ALFRED_AUDIT: z.enum(['on', 'off']).default('on').describe('off: no audit log is kept, and no intrusion is detected'),
  ALFRED_AUDIT_KEY: z
    .string()
    .refine((value) => auditKeysIn(value) !== undefined, 'expected base64 of at least 32 random bytes')
    .optional()
    .describe(
      'key that signs the audit log, base64 of 32 random bytes; after a rotation the new key, a comma and the keys of before; the same for every process of the API; default: the key in ALFRED_AUDIT_KEY_FILE',
    ),
  ALFRED_AUDIT_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'file with the same, a key a line; default: audit.key in ALFRED_DATA_DIR, which the API makes when it is for this machine alone',
    ),
  ALFRED_AUDIT_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(400)
    .describe('how long entries of the audit log are kept'),
  ALFRED_AUDIT_CHECKPOINTS: z
    .string()
    .regex(
      /^(\/|\.{1,2}\/|file:\/\/\/|(s3|gs):\/\/[^/\s]+)/,
      'expected a path, s3://bucket/folder or gs://bucket/folder',
    )
    .optional()
    .describe(
      'where signed checkpoints of the audit log are written, on another machine: a file on a mounted disk, s3://bucket/folder or gs://bucket/folder; default: in the database alone, where they show less',
    ),
  ALFRED_AUDIT_CHECKPOINT_S: z.coerce
    .number()
    .int()
    .min(10)
    .max(86_400)
    .default(300)
    .describe('how often a checkpoint is written when there are new entries; one comes after 10,000 entries too'),
  ALFRED_COUNTRY_HEADER: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/i, 'expected the name of a header, like cf-ipcountry')
    .transform((name) => name.toLowerCase())
    .optional()
    .describe(
      'header with the country of the caller (two letters), which a proxy before the API sets and takes away from callers; default: the network of the address counts',
    ),
  ALFRED_INTRUSION_WEBHOOK: url(/^https?:$/, 'https://host/path')
    .optional()
    .describe('address that is called for each signal of an intrusion, signed with ALFRED_WEBHOOK_SECRET'),
} as const;
