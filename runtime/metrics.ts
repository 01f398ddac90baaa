import { collectDefaultMetrics, Registry } from 'prom-client';
import { createAuditMetrics } from './metrics/audit-metrics.ts';
import { createContactMetrics } from './metrics/contact-metrics.ts';
import { createDocumentMetrics } from './metrics/document-metrics.ts';
import { createModelMetrics } from './metrics/model-metrics.ts';
import { createOutageMetrics } from './metrics/outage-metrics.ts';
import { createProcessMetrics } from './metrics/process-metrics.ts';
import { createSearchMetrics } from './metrics/search-metrics.ts';
import { createSlackMetrics } from './metrics/slack-metrics.ts';
import { createSocialMetrics } from './metrics/social-metrics.ts';
import { createTaskMetrics } from './metrics/task-metrics.ts';
import { createToolMetrics } from './metrics/tool-metrics.ts';
import { version } from './version.ts';

/** Creates Alfred's metrics, once a process. docs/reference/metrics.md explains each of them by its name. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const metrics = {
    registry,
    /** Called before each scrape, to refresh gauges whose values must be read from somewhere. */
    beforeScrape: [] as (() => Promise<void>)[],
    ...createTaskMetrics(registers),
    ...createModelMetrics(registers),
    ...createOutageMetrics(registers),
    ...createToolMetrics(registers),
    ...createDocumentMetrics(registers),
    ...createContactMetrics(registers),
    ...createSearchMetrics(registers),
    ...createProcessMetrics(registers),
    ...createAuditMetrics(registers),
    ...createSlackMetrics(registers),
    ...createSocialMetrics(registers),
  };
  metrics.buildInfo.set({ version, node: process.version }, 1);
  return metrics;
}
export type Metrics = ReturnType<typeof createMetrics>;
