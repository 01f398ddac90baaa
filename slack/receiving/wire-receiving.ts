import type { SlackInbox } from '../../contract/ports/index.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackSettings } from '../../runtime/slack-settings.ts';
import { startHttpReceiver } from './http-receiver.ts';
import { createReceive } from './receive.ts';
import { createSocketReceiver } from './socket-receiver.ts';

type Wired = {
  edge: Pick<Edge, 'config' | 'log' | 'metrics' | 'readMetrics' | 'readiness'>;
  inbox: Pick<SlackInbox, 'store'>;
  /** Of the settings of Slack. */
  settings: Pick<SlackSettings, 'appToken' | 'signingSecret' | 'apiUrl'>;
  /** Pages for browsers, by path. */
  pages: NonNullable<Parameters<typeof startHttpReceiver>[0]['pages']>;
  /** Whether Alfred is or was in the workspace. */
  isKnown: (team: string) => Promise<boolean>;
  /** A delivery of this workspace is there to be processed. */
  onStored: (team: string) => void;
};

/** Receives what Slack sends, by HTTP and by sockets. @throws when the port is taken */
export async function wireReceiving({ edge, inbox, settings, pages, isKnown, onStored }: Wired) {
  const { config, log, metrics, readiness } = edge;
  const { appToken, signingSecret, apiUrl } = settings;
  const receive = createReceive({ inbox, log, metrics, isKnown, onStored });
  const http = await startHttpReceiver({
    ...edge,
    host: config.SLACK_HOST,
    port: config.SLACK_PORT,
    signingSecret,
    maxConnections: config.ALFRED_MAX_CONNECTIONS,
    networks: config.ALFRED_METRICS_NETWORKS,
    receive,
    pages,
  });
  const sockets =
    appToken === undefined ? undefined : createSocketReceiver({ appToken, apiUrl, receive, log, metrics });
  if (sockets) readiness.addWarning('slack_sockets', sockets.warning);
  sockets?.start();
  const host = config.SLACK_HOST.includes(':') ? `[${config.SLACK_HOST}]` : config.SLACK_HOST;
  return {
    url: `http://${host}:${http.port}`,
    async stop(graceMs: number): Promise<void> {
      await Promise.all([http.stop(graceMs), sockets?.stop(graceMs)]);
    },
  };
}
