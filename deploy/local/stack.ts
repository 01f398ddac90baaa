import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import { claimRunFile, readLastRun, readRunFile, type RunFile } from './run-file.ts';
import { bringUp } from './bring-up.ts';
import type { Child } from './servers/child.ts';
import type { Cleanup } from './cleanup.ts';
import { endOrphans } from './servers/orphans.ts';
import type { Settings } from './settings.ts';
import { chooseStackPorts, type StackPorts } from './ports/stack-ports.ts';
import { StepFailure } from './step-failure.ts';
import type { Steps } from './steps.ts';
import { failure } from './servers/wait-until.ts';

export type Stack = {
  config: Config;
  apiUrl: string;
  /** In words: ports that are not the usual ones, servers that an earlier start left. */
  notes: string[];
  coldStartSeconds: number;
  /** Rejects when a part ends that should not. */
  failed: Promise<never>;
};

type Deps = { settings: Settings; steps: Steps; log: Logger; cleanup: Cleanup };

/**
 * Brings up everything on this machine: Temporal, Postgres, workers, API. What is to be undone at the end, or when a
 * step fails, is left in `cleanup`.
 *
 * @throws StepFailure and ConfigError for people; anything else is a defect
 */
export async function startStack({ settings, steps, log, cleanup }: Deps): Promise<Stack> {
  const { dataDir } = settings;
  refuseSecond(await readRunFile(dataDir));
  const ended = await endOrphans(readLastRun(dataDir), dataDir, log);
  const { ports, moved, claims, remember } = await chooseStackPorts(settings);
  cleanup.add('port claims', () => claims.release());
  const { run, onSpawn } = await claim(dataDir, ports, cleanup, log);
  remember();

  const broken = Promise.withResolvers<never>();
  let ending = false;
  const watch = (child: Child) =>
    void child.ended.then((how) => {
      if (!ending) broken.reject(failure(child, `ended unexpectedly (${how})`));
    });
  const onAddresses = (environment: RunFile['environment']) => run.update({ environment });
  const up = await Promise.race([
    broken.promise,
    bringUp({ settings, ports, steps, log, cleanup, onSpawn, watch, onAddresses }),
  ]);
  cleanup.add('watch', () => (ending = true));
  const failed = Promise.race([broken.promise, up.failed]);
  // It may come when nobody waits for it any more, in the middle of stopping.
  failed.catch(() => undefined);
  return {
    ...up,
    failed,
    notes: [...moved, ...ended.map((name) => `a ${name} that an earlier start left behind was ended`)],
  };
}

/** Takes the data folder, and keeps a record of every server we start from the moment it exists. */
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
  if ('runs' in run) return refuseSecond(run.runs);
  cleanup.add('run file', () => run.remove());
  // Also those that a failed or interrupted step has started and nobody holds yet.
  cleanup.add('servers', () => endOrphans({ children }, dataDir, log));
  const onSpawn = (name: string, pid: number) => {
    children.push({ name, pid });
    run.update({ children });
  };
  return { run, onSpawn };
}

function refuseSecond(run: RunFile | undefined): never;
function refuseSecond(run: RunFile | undefined): void {
  if (!run) return;
  throw new StepFailure(
    `Alfred runs in this clone already, at ${run.apiUrl} (process ${run.pid}, since ${run.startedAt}).`,
    [`use it there, end it with Ctrl-C in its terminal (or kill ${run.pid}), or set ALFRED_DATA_DIR for a second one`],
  );
}
