import type { Config } from './config.ts';

/** How long work may finish when its process stops, in seconds. A model call takes minutes, and is paid. */
const defaultS = { modelCalls: 300, other: 10 };

/** How long work may finish when its process stops, in milliseconds. @param work what runs there */
export const graceMsOf = (
  { ALFRED_SHUTDOWN_GRACE_S: configuredS }: Pick<Config, 'ALFRED_SHUTDOWN_GRACE_S'>,
  work: keyof typeof defaultS = 'other',
): number => (configuredS ?? defaultS[work]) * 1_000;
