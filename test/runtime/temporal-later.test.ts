import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { connectTemporalLater } from '../../runtime/temporal-later.ts';
import { createClient, isTemporalUnavailable } from '../../runtime/temporal.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { createTcpProxy } from '../support/processes/tcp-proxy.ts';
import { until, untilPasses } from '../support/until.ts';

let env: TestEnvironment;
let temporal: Awaited<ReturnType<typeof createTcpProxy>>;
beforeAll(async () => {
  env = await createTestEnvironment();
  temporal = await createTcpProxy(env.config.TEMPORAL_ADDRESS);
});
beforeEach(() => temporal.plug());
const closes: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0)) await close();
});
afterAll(async () => {
  await temporal?.close();
  await env?.close();
});

/** @returns calls Temporal */
async function connect(check: () => Promise<void> = async () => undefined): Promise<() => Promise<unknown>> {
  const config = { ...env.config, TEMPORAL_ADDRESS: temporal.address };
  const opened = await connectTemporalLater({ config, log: env.log, check });
  closes.push(() => opened.close());
  const client = createClient(opened.connection, config);
  const { TEMPORAL_NAMESPACE: namespace } = config;
  return () => client.withDeadline(Date.now() + 5_000, () => client.workflowService.describeNamespace({ namespace }));
}
const failureOf = (call: () => Promise<unknown>) => call().then(() => undefined, String);

test('when Temporal answers, it is connected at once', async () => {
  const call = await connect();
  expect(await call()).toMatchObject({ namespaceInfo: { name: env.config.TEMPORAL_NAMESPACE } });
});

test('while Temporal is away calls fail as for a server that is away, and work when it is back', async () => {
  temporal.cut();
  const call = await connect();
  const error: unknown = await call().catch((failure: unknown) => failure);
  expect(isTemporalUnavailable(error)).toBe(true);
  temporal.plug();
  await untilPasses('Temporal is used', call);
});

test('another namespace ends the start', async () => {
  await expect(connect(() => Promise.reject(new AlfredError('wrong_namespace', 'Another one.')))).rejects.toThrow(
    'Another one.',
  );
});

test('another namespace that is noticed later is not used, calls say so, and the right one is used then', async () => {
  temporal.cut();
  let isRight = false;
  const call = await connect(async () => {
    if (!isRight) throw new AlfredError('wrong_namespace', 'Another one.');
  });
  temporal.plug();
  await until('calls say so', async () => (await failureOf(call))?.includes('Another one.'));
  isRight = true;
  await untilPasses('Temporal is used', call);
});
