import type { Audit, Control, Documents, IngestionEvents, SlackFiles, Tenants } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { createTokenWatch } from '../api-calls/token-problems.ts';
import { createDownload } from './download.ts';
import { createReadFiles } from './read-files.ts';
import { createRemoveFiles } from './remove-files.ts';

type Deps = {
  edge: { config: Config } & Pick<Edge, 'metrics'>;
  adapters: {
    audit: Pick<Audit, 'note'>;
    documents: Pick<Documents, 'delete'>;
    control: { ingestions: Pick<Control['ingestions'], 'create'> };
    ingestionEvents: Pick<IngestionEvents, 'read' | 'waitForEnd'>;
    slackFiles: SlackFiles;
    tenants: Pick<Tenants, 'requireActive' | 'requireRoom'>;
  };
  calls: SlackCalls;
  /** Of the settings of Slack. */
  settings: { botToken: string; apiUrl: string | undefined };
  token: Pick<ReturnType<typeof createTokenWatch>, 'observe'>;
  signal: AbortSignal;
};

/** Downloads count among the calls of Slack by this name. */
const method = 'file download';

/** Reads the files of messages, and removes them again. */
export function wireFiles({ edge: { config, metrics }, adapters, calls, settings, token, signal }: Deps) {
  const download = createDownload({
    tokenOf: () => settings.botToken,
    apiUrl: settings.apiUrl,
    observe({ outcome, durationMs }) {
      token.observe({ method, outcome });
      metrics.slackApiCalls.observe({ method, outcome }, durationMs / 1_000);
    },
  });
  const deps = { ...adapters, calls, download, files: adapters.slackFiles, config, signal };
  return {
    readFiles: createReadFiles({ ...deps, ingestions: adapters.control.ingestions }),
    removeFiles: createRemoveFiles(deps),
  };
}
