import type { Audit, Control, IngestionEvents, SlackFiles, Tenants } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { ObservedCall } from '../api-calls/slack-call.ts';
import { createDownload } from './download.ts';
import { createReadFiles, type ReadFiles } from './read-files.ts';

type Deps = {
  edge: { config: Config };
  adapters: {
    audit: Pick<Audit, 'note'>;
    control: { ingestions: Pick<Control['ingestions'], 'checkTemporal' | 'create'> };
    ingestionEvents: Pick<IngestionEvents, 'read' | 'waitForEnd'>;
    slackFiles: SlackFiles;
    tenants: Pick<Tenants, 'requireActive' | 'requireRoom'>;
  };
  calls: SlackCalls;
  apiUrl: string | undefined;
  tokenOf: (team: string) => Promise<string>;
  observe: (call: ObservedCall) => void;
  signal: AbortSignal;
};

/** Downloads count among the calls of Slack by this name. */
const method = 'file download';

/** What reads the files of messages. */
export function wireReadFiles({
  edge: { config },
  adapters,
  calls,
  apiUrl,
  tokenOf,
  observe,
  signal,
}: Deps): ReadFiles {
  const download = createDownload({
    tokenOf,
    apiUrl,
    observe: (download) => observe({ method, ...download }),
  });
  const deps = { ...adapters, calls, download, files: adapters.slackFiles, config, signal };
  return createReadFiles({ ...deps, ingestions: adapters.control.ingestions });
}
