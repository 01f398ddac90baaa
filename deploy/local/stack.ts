import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import { claimRunFile, readLastRun, readRunFile, type RunFile } from './run-file.ts';
import { bringUp } from './bring-up.ts';
import { findModelServers, hasModel, modelServerNote, usualPlaces } from './model-servers.ts';
import type { Child } from './servers/child.ts';
import type { DemoUser } from './keycloak-realm.ts';
import type { Cleanup } from './cleanup.ts';
import { endOrphans } from './servers/orphans.ts';
import type { Settings } from './settings.ts';
import { chooseStackPorts, type StackPorts } from './ports/stack-ports.ts';
import { StepFailure } from './step-failure.ts';
import type { Steps } from './steps.ts';
import { serverFailure } from './servers/wait-until.ts';

export type Stack = {
  config: Config;
  apiUrl: string;
  /** Notes for the person: ports that moved, servers of an earlier start that were ended, model servers. */
  notes: string[];
  coldStartSeconds: number;
  /** Who can sign in at the Keycloak of this stack. */
  people: readonly DemoUser[];
  /** Rejects when a server or worker ends unexpectedly. Never resolves. */
  failed: Promise<never>;
};

type Deps = { settings: Settings; steps: Steps; log: Logger; cleanup: Cleanup };

/**
 * Starts the whole stack on this machine: Temporal, Postgres, workers and API. Everything that must be undone at the
 * end or after a failed step is added to `cleanup`.
 *
 * @throws StepFailure or ConfigError with a message for the person; any other error is a defect
 */
export async function startStack({ settings, steps, log, cleanup }: Deps): Promise<Stack> {
  const { dataDir } = settings;
  const running = await readRunFile(dataDir);
  if (running) throw alreadyRunning(running);
  const endedOrphans = await endOrphans(readLastRun(dataDir), dataDir, log);
  const { ports, moved, claims, remember } = await chooseStackPorts(settings);
  cleanup.add('port claims', () => claims.release());
  const modelServers = hasModel(settings.config) ? [] : findModelServers(usualPlaces(Object.values(ports)));
  const { run, onSpawn } = await claim(dataDir, ports, cleanup, log);
  remember();

  const serverEnd = Promise.withResolvers<never>();
  let isStopping = false;
  const watch = (child: Child) =>
    void child.ended.then((how) => {
      if (!isStopping) serverEnd.reject(serverFailure(child, `ended unexpectedly (${how})`));
    });
  const onAddresses = (environment: RunFile['environment']) => run.update({ environment });
  const services = await Promise.race([
    serverEnd.promise,
    bringUp({ settings, ports, steps, log, cleanup, onSpawn, watch, onAddresses }),
  ]);
  cleanup.add('watch', () => {
    isStopping = true;
  });
  const failed = Promise.race([serverEnd.promise, services.failed]);
  // It may reject while the stack is stopping, when no code waits for it any more.
  failed.catch(() => undefined);
  return {
    ...services,
    failed,
    notes: [
      ...moved,
      ...endedOrphans.map((name) => `a ${name} that an earlier start left behind was ended`),
      ...(await modelServers).map(modelServerNote),
    ],
  };
}

/** Claims the data folder, and returns `onSpawn`, which records every server in the run file as soon as it exists. */
async function claim(dataDir: string, ports: StackPorts, cleanup: Cleanup, log: Logger) {
  const apiUrl = `http://127.0.0.1:${ports.ALFRED_API_PORT}`;
  const children: RunFile['children'] = [];
  const run = await claimRunFile(dataDir, {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    apiUrl,
    environment: {},
    children,
  });
  if ('holder' in run) throw alreadyRunning(run.holder);
  cleanup.add('run file', () => run.remove());
  // This also ends servers that a failed or interrupted step has started and not yet returned.
  cleanup.add('servers', () => endOrphans({ children }, dataDir, log));
  const onSpawn = (name: string, pid: number) => {
    children.push({ name, pid });
    run.update({ children });
  };
  return { run, onSpawn };
}

const alreadyRunning = (run: RunFile) =>
  new StepFailure(`Alfred runs in this clone already, at ${run.apiUrl} (process ${run.pid}, since ${run.startedAt}).`, [
    `use it there, end it with Ctrl-C in its terminal (or kill ${run.pid}), or set ALFRED_DATA_DIR for a second one`,
  ]);
