import type { Audit, Control, IngestionEvents, SlackFiles, Tenants } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { createTokenWatch } from '../api-calls/token-problems.ts';
import { createDownload } from './download.ts';
import { createReadFiles } from './read-files.ts';

type Deps = {
  edge: { config: Config } & Pick<Edge, 'metrics'>;
  adapters: {
    audit: Pick<Audit, 'note'>;
    control: { ingestions: Pick<Control['ingestions'], 'create'> };
    ingestionEvents: Pick<IngestionEvents, 'read' | 'waitForEnd'>;
    slackFiles: SlackFiles;
    tenants: Pick<Tenants, 'requireActive' | 'requireRoom'>;
  };
  calls: SlackCalls;
  /** The bot token of a workspace. */
  tokenOf: (team: string) => string | Promise<string>;
  apiUrl: string | undefined;
  token: Pick<ReturnType<typeof createTokenWatch>, 'observe'>;
  signal: AbortSignal;
};

/** Downloads count among the calls of Slack by this name. */
const method = 'file download';

/** Reads the files of messages. */
export function wireFiles({ edge: { config, metrics }, adapters, calls, tokenOf, apiUrl, token, signal }: Deps) {
  const download = createDownload({
    tokenOf,
    apiUrl,
    observe({ outcome, durationMs }) {
      token.observe({ method, outcome });
      metrics.slackApiCalls.observe({ method, outcome }, durationMs / 1_000);
    },
  });
  return createReadFiles({
    calls,
    download,
    files: adapters.slackFiles,
    ingestions: adapters.control.ingestions,
    ingestionEvents: adapters.ingestionEvents,
    tenants: adapters.tenants,
    audit: adapters.audit,
    config,
    signal,
  });
}
