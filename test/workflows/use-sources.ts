import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import type { SourceRow } from '../../contract/ports/index.ts';
import { SourceRequest } from '../../contract/sources.ts';
import { documentsQueue, sourceWorkflowId } from '../../contract/ids.ts';
import type { SourceRef } from '../../contract/references.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { createWebSite, type WebSite } from '../support/fakes/web-site.ts';

export const scope = { tenant: 'local', subject: 'local' };

/** Real servers for a test file, and a new web site and no worker at the start of each test. */
export function useSources() {
  const metrics = createMetrics();
  let env: TestEnvironment;
  let adapters: Adapters;
  let workers: RunningWorkers | undefined;
  let site: WebSite;
  beforeAll(async () => {
    env = await createTestEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0', ALFRED_OUTBOUND_ALLOW: '127.0.0.1/32' });
    adapters = createAdapters(env);
  });
  afterAll(async () => {
    await adapters?.close();
    await env?.close();
  });
  beforeEach(async () => {
    site = await createWebSite();
  });
  afterEach(async () => {
    await workers?.stop();
    workers = undefined;
    await site.close();
  });

  const handleOf = ({ sourceId }: SourceRef) => env.client.workflow.getHandle(sourceWorkflowId(sourceId));
  async function row(source: SourceRef): Promise<SourceRow> {
    const sourceRow = await adapters.sources.get(scope, source.sourceId);
    if (!sourceRow) throw new Error('no such source');
    return sourceRow;
  }

  return {
    get env() {
      return env;
    },
    get adapters() {
      return adapters;
    },
    get site() {
      return site;
    },
    handleOf,
    row,
    /** Starts a worker. It stops after the test. */
    async work() {
      workers = await startWorkers(
        { ...env, metrics },
        { ...adapters, parser: { ...adapters.parser, close: () => adapters.parser.close() } },
        [documentsQueue],
      );
    },
    async add(path: string, more: object = {}): Promise<SourceRef> {
      const { id } = await adapters.sources.create(scope, SourceRequest.parse({ address: site.url + path, ...more }));
      return { ...scope, sourceId: id };
    },
    /** Requests a sync and waits for its end. */
    async sync(source: SourceRef): Promise<SourceRow> {
      await adapters.sources.requestSync(source);
      await adapters.workflows.syncSource(source);
      await handleOf(source)
        .result()
        .catch(() => undefined);
      return row(source);
    },
    /** The text of the document at this path; undefined when there is none. */
    async textOf(path: string): Promise<string | undefined> {
      const { documents } = await adapters.documents.list(scope, { limit: 500 });
      const document = documents.find(({ name }) => name === site.host + path);
      return document && (await adapters.documents.read(scope, document.id))?.text;
    },
  };
}

/** A completed sync with these counts; the others are 0. */
export const completedWith = (counts: object) => ({
  state: 'completed',
  error: null,
  counts: { pending: 0, added: 0, replaced: 0, unchanged: 0, failed: 0, gone: 0, removed: 0, ...counts },
});
