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
  /** Without one, no Web UI is served. */
  uiPort?: number;
  /** Without one, everything is kept in memory and lost at the end. */
  dbFile?: string;
  /** Namespaces beside `default`. */
  namespaces?: readonly string[];
  logFile: string;
  onSpawn?: ChildSpec['onSpawn'];
  log: Logger;
};

const dynamicConfig = [
  // The one shard polls 20 times a second by default: 50 ms of waiting for each task.
  'history.transferProcessorMaxPollRPS=2000',
  // Tenants take turns by their fairness keys. A queue is fair and in order within a partition only, so it has one;
  // those that an earlier version filled are still read.
  'matching.enableFairness=true',
  'matching.numTaskqueueWritePartitions=1',
  // Everybody who speaks in a conversation at once waits for its decision.
  'history.maxInFlightUpdates=1000',
];

/** The CLI wants `Keyword`, the server's API `KEYWORD`. */
const searchAttributes = Object.entries(searchAttributeTypes).map(
  ([name, type]) => `${name}=${type[0]}${type.slice(1).toLowerCase()}`,
);

/**
 * Starts Temporal's development server on loopback and waits until it answers in every namespace.
 *
 * @throws StepFailure with the last lines of its log when it does not come up
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
    // Defaults cost three times the disk writes for the same durability.
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
    throw explained(error, child, port, dbFile);
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

function explained(error: unknown, child: Child, port: number, dbFile: string | undefined): unknown {
  const said = child.lastLines();
  if (/address already in use|can't set up.*port/i.test(said)) {
    return new StepFailure(`Temporal cannot listen: port ${port} or that of its UI is taken.\n${said}`, [
      'set ALFRED_TEMPORAL_PORT and ALFRED_TEMPORAL_UI_PORT to free ports, or end what listens there',
    ]);
  }
  if (dbFile && /unable to open database|readonly database|disk is full|permission denied/i.test(said)) {
    return new StepFailure(`Temporal cannot write its database ${join(dbFile)}.\n${said}`, [
      'make the data folder writable, or set ALFRED_DATA_DIR to one that is',
    ]);
  }
  return error;
}
