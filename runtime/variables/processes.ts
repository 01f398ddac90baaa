import { z } from 'zod';
import { commaSeparated } from '../settings-schemas.ts';

/** Variables for a process: limits, intervals and logging. */
export const processes = {
  ALFRED_WORKFLOW_BUNDLE: z
    .string()
    .optional()
    .describe('prebuilt workflow bundle; default: built at start and cached'),
  ALFRED_AGENT_PACKS: commaSeparated(z.string().min(1).max(1_024))
    .default([])
    .describe('folders or installed packages with agents of your own, separated by commas, for doors and workers'),
  ALFRED_MAX_UPLOAD_MB: z.coerce
    .number()
    .min(0.001)
    .max(1_024)
    .default(16)
    .describe('largest request body, and largest item of a source, in MB'),
  ALFRED_MAX_CONCURRENT_ACTIVITIES: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('per queue and process'),
  ALFRED_SWEEP_INTERVAL_S: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(30)
    .describe('how often task rows are compared with Temporal'),
  ALFRED_SHUTDOWN_GRACE_S: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_600)
    .optional()
    .describe(
      'how long running work may finish when a process stops; default: 300 for the queues of agents, because a model call that is broken off is paid again, and 10 elsewhere',
    ),
  ALFRED_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least level that is logged'),
  ALFRED_LOG_FORMAT: z.enum(['json', 'pretty']).default('json').describe('pretty is for people'),
} as const;
