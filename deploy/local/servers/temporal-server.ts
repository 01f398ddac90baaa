import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { searchAttributeTypes } from '../../../contract/search-attributes.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { startChild, type Child, type ChildSpec } from './child.ts';
import { StepFailure } from '../step-failure.ts';
import { waitUntil } from './wait-until.ts';

export type TemporalServer = {
  address: string;
  uiUrl: string | undefined;
  pid: number;
  child: Child;
  stop(): Promise<void>;
};

type Options = {
  /** Path of the Temporal CLI. */
  binary: string;
  port: number;
  /** Without it there is no Web UI. */
  uiPort?: number;
  /** Without it all data is in memory and lost at the end. */
  dbFile?: string;
  /** Namespaces to create, in addition to `default`. */
  namespaces?: readonly string[];
  logFile: string;
  onSpawn?: ChildSpec['onSpawn'];
  log: Logger;
};

const dynamicConfig = [
  // By default the server's one shard polls 20 times a second, so that each workflow task waits up to 50 ms.
  'history.transferProcessorMaxPollRPS=2000',
  // Tenants take turns by their fairness keys. A queue is fair and ordered only within a partition, so each queue
  // writes to one. Partitions that already hold tasks are still read.
  'matching.enableFairness=true',
  'matching.numTaskqueueWritePartitions=1',
  // Each message that is sent to a conversation at the same time is one update in flight.
  'history.maxInFlightUpdates=1000',
];

/** The CLI expects `Keyword` where the server's API has `KEYWORD`. */
const searchAttributes = Object.entries(searchAttributeTypes).map(
  ([name, type]) => `${name}=${type[0]}${type.slice(1).toLowerCase()}`,
);

/**
 * Starts Temporal's development server on loopback and waits until its last namespace exists.
 *
 * @throws StepFailure with the last lines of its log when it does not start
 */
export async function startTemporalServer({
  binary,
  port,
  uiPort,
  dbFile,
  namespaces = [],
  logFile,
  onSpawn,
  log,
}: Options): Promise<TemporalServer> {
  const args = [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    ...(uiPort ? ['--ui-port', String(uiPort)] : ['--headless']),
    // SQLite's default journal needs three times the disk writes for the same durability.
    ...(dbFile
      ? ['--db-filename', dbFile, '--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=full']
      : []),
    ...dynamicConfig.flatMap((value) => ['--dynamic-config-value', value]),
    ...searchAttributes.flatMap((attribute) => ['--search-attribute', attribute]),
    ...namespaces.flatMap((namespace) => ['--namespace', namespace]),
    '--log-level',
    'warn',
    '--log-format',
    'json',
  ];
  const stopWith = [
    ['SIGINT', 10_000],
    ['SIGKILL', 5_000],
  ] as const;
  const child = startChild({ name: 'Temporal', command: binary, args, logFile, stopWith, onSpawn });
  const address = `127.0.0.1:${port}`;
  try {
    await waitUntil(child, () => answers(address, namespaces.at(-1) ?? 'default'));
  } catch (error) {
    await child.stop();
    throw startFailure(error, { child, port, dbFile });
  }
  log.debug({ pid: child.pid, address }, 'Temporal is up');
  return {
    address,
    uiUrl: uiPort ? `http://127.0.0.1:${uiPort}` : undefined,
    pid: child.pid,
    child,
    stop: () => child.stop(),
  };
}

async function answers(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 });
  try {
    await connection.withDeadline(Date.now() + 5_000, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } finally {
    await connection.close();
  }
}

type FailedStart = { child: Child; port: number; dbFile: string | undefined };

/** The error with advice for the person when the server's log names a known cause, else the error itself. */
function startFailure(error: unknown, { child, port, dbFile }: FailedStart): unknown {
  const output = child.lastLines();
  if (/address already in use|can't set up.*port/i.test(output)) {
    return new StepFailure(`Temporal cannot listen: port ${port} or that of its UI is taken.\n${output}`, [
      'set ALFRED_TEMPORAL_PORT and ALFRED_TEMPORAL_UI_PORT to free ports, or end what listens there',
    ]);
  }
  if (dbFile && /unable to open database|readonly database|disk is full|permission denied/i.test(output)) {
    return new StepFailure(`Temporal cannot write its database ${join(dbFile)}.\n${output}`, [
      'make the data folder writable, or set ALFRED_DATA_DIR to one that is',
    ]);
  }
  return error;
}
