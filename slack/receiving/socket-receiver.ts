import { setTimeout as sleep } from 'node:timers/promises';
import { SocketModeClient } from '@slack/socket-mode';
import { isRecord, type JsonObject } from '../../contract/json.ts';
import type { SlackDelivery } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import { silentLog } from '../silent-log.ts';
import type { Receive } from './receive.ts';

/** Slack closes each socket once in some hours. With two, one is open meanwhile. */
const socketCount = 2;
const connectTimeoutMs = 15_000;
const closeTimeoutMs = 2_000;
const pauses = { firstMs: 500, longestMs: 30_000 };
/** A socket that closes sooner is not replaced at once: Slack closes each new one when something is wrong with them. */
const leastOpenMs = 10_000;
/** Sockets that are opened together, Slack also closes together. */
const staggerMs = 1_000;

/** Types of envelopes of sockets. */
const kinds: Record<string, SlackDelivery['kind']> = {
  events_api: 'event',
  interactive: 'interactive',
  slash_commands: 'command',
};

type Envelope = { ack: () => Promise<void>; envelope_id: string; type: string; body: unknown };

type Deps = {
  appToken: string;
  apiUrl: string | undefined;
  receive: Receive;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  metrics: Pick<Metrics, 'slackSockets'>;
  sockets?: number;
};

/** Receives what Slack sends through sockets (Socket Mode). */
export function createSocketReceiver(deps: Deps) {
  const { receive, log, metrics, sockets = socketCount } = deps;
  const stopping = new AbortController();
  /** Envelopes that are being stored. */
  const arriving = new Set<Promise<unknown>>();
  const open = new Set<SocketModeClient>();
  let problem: string | undefined = 'no socket to Slack is open yet';
  let runs: Promise<void>[] = [];

  const arrive = ({ ack, envelope_id: envelopeId, type, body }: Envelope) => {
    const kind = kinds[type];
    if (kind === undefined || !isRecord(body)) return;
    const stored = receive({
      transport: 'socket',
      kind,
      body: body as JsonObject,
      envelopeId,
      acknowledge: () => ack(),
    });
    const arrival = stored.finally(() => arriving.delete(arrival));
    arriving.add(arrival);
  };

  /** Opens one socket and waits until it is closed. @returns how long it was open */
  async function useSocket(): Promise<number> {
    const { client, closed } = await openSocket(deps, arrive);
    const openedAt = performance.now();
    setOpen(client, true);
    await Promise.race([closed, aborted(stopping.signal)]);
    if (stopping.signal.aborted) await Promise.allSettled(arriving);
    await close(client);
    setOpen(client, false);
    return performance.now() - openedAt;
  }

  const pause = (ms: number) => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  async function keepOpen(_: unknown, index: number): Promise<void> {
    await pause(index * staggerMs);
    let pauseMs = pauses.firstMs;
    while (!stopping.signal.aborted) {
      try {
        if ((await useSocket()) >= leastOpenMs) {
          pauseMs = pauses.firstMs;
          continue;
        }
      } catch (error) {
        problem = `Slack opens no socket (${reasonOf(error)}): check SLACK_APP_TOKEN, and that Socket Mode is on`;
        log.warn({ reason: reasonOf(error), retryInMs: pauseMs }, 'no socket to Slack could be opened');
      }
      // Jitter: processes that Slack has turned away together must not come back together.
      await pause(pauseMs * (0.5 + Math.random()));
      pauseMs = Math.min(2 * pauseMs, pauses.longestMs);
    }
  }

  function setOpen(client: SocketModeClient, isOpen: boolean) {
    if (isOpen) open.add(client);
    else open.delete(client);
    metrics.slackSockets.set(open.size);
    if (isOpen) problem = undefined;
    else if (open.size === 0) problem = 'no socket to Slack is open; another is being opened';
    log.info({ open: open.size }, isOpen ? 'a socket to Slack is open' : 'a socket to Slack was closed');
  }

  return {
    start(): void {
      runs = Array.from({ length: sockets }, keepOpen);
    },

    /** What keeps Slack's messages from coming; undefined when nothing does. */
    warning: async (): Promise<string | undefined> => problem,

    /** Takes nothing more, and waits until what has come is stored and acknowledged. */
    async stop(graceMs = connectTimeoutMs): Promise<void> {
      stopping.abort();
      await withTimeout(Promise.all(runs), graceMs, () => undefined);
    },
  };
}

/**
 * A client of its own for each socket: the library reconnects without catching what fails then, which would end the
 * process, and gives up after some failures.
 */
async function openSocket(
  { appToken, apiUrl, log }: Pick<Deps, 'appToken' | 'apiUrl' | 'log'>,
  arrive: (envelope: Envelope) => void,
): Promise<{ client: SocketModeClient; closed: Promise<void> }> {
  const client = new SocketModeClient({
    appToken,
    autoReconnectEnabled: false,
    logger: silentLog,
    clientOptions: {
      ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: connectTimeoutMs,
    },
  });
  client.on('slack_event', arrive);
  catchFailures(client, log);
  const closed = new Promise<void>((resolve) => client.once('disconnected', () => resolve()));
  try {
    await withTimeout(client.start(), connectTimeoutMs, () => {
      throw new Error(`no socket within ${connectTimeoutMs} ms`);
    });
  } catch (error) {
    await close(client);
    throw error instanceof Error ? error : new Error('Slack closed the socket before it was ready', { cause: error });
  }
  return { client, closed };
}

/** The library's reader of messages rejects for those that it does not know, which would end the process. */
function catchFailures(client: SocketModeClient, log: Deps['log']) {
  const readers = client.listeners('ws_message');
  client.removeAllListeners('ws_message');
  client.on('ws_message', (...message: unknown[]) => {
    for (const read of readers)
      Promise.resolve(read(...message)).catch((error: unknown) =>
        log.warn({ reason: reasonOf(error) }, 'a message of Slack that the library cannot read was left out'),
      );
  });
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** A peer that does not answer is not waited for. */
const close = (client: SocketModeClient): Promise<void> =>
  withTimeout(client.disconnect(), closeTimeoutMs, () => undefined);

/** Slack's name of an error, or what the network says. */
function reasonOf(error: unknown): string {
  const data = (error as { data?: { error?: unknown } }).data;
  if (typeof data?.error === 'string') return data.error;
  return error instanceof Error ? error.message : 'closed';
}
