import { randomUUID } from 'node:crypto';
import type { Agents } from '../../agents/index.ts';
import type { SlackInbox } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackSettings } from '../../runtime/slack-settings.ts';
import { createActing } from '../acting/acting.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { ChannelInfos } from '../channel-info.ts';
import type { Notices } from '../asking/notices.ts';
import { wireAsking } from '../asking/wire-asking.ts';
import { createBoltApp } from '../bolt-app.ts';
import { wireCommands } from '../commands/wire-commands.ts';
import { attemptsBeforeNotice, createFailureReports, mayPass } from '../failures.ts';
import type { RemoveFiles } from '../files/remove-files.ts';
import type { Identity } from '../identify.ts';
import type { ObservedCall } from '../api-calls/slack-call.ts';
import type { SlackPorts } from '../slack-ports.ts';
import { createRefusals } from '../workspaces/refuse-delivery.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import { deliveryWork } from './delivery-work.ts';
import { inWorkspace } from './in-workspace.ts';
import { createProcessor } from './processor.ts';

type Wired = {
  edge: { config: Config } & Pick<Edge, 'log' | 'metrics' | 'readiness'>;
  adapters: SlackPorts;
  agents: Agents;
  settings: SlackSettings;
  workspaces: Workspaces;
  calls: SlackCalls;
  infoOf: ChannelInfos;
  notices: Notices;
  removeFiles: RemoveFiles;
  observe: (call: ObservedCall) => void;
  /** The process stops. */
  signal: AbortSignal;
  onAsked: () => void;
};

/** What works through the stored deliveries of a workspace, once it is known who Alfred is there. */
export function wireProcessing({ edge, adapters, agents, settings, workspaces, ...more }: Wired) {
  const { calls, infoOf, notices, removeFiles, observe, signal, onAsked } = more;
  const { log, metrics } = edge;
  const { slackThreads: threads, conversationRows: conversations } = adapters;
  const { apiUrl } = settings;
  const shared = { edge, adapters, agents, workspaces, calls };
  const asking = wireAsking({ ...shared, apiUrl, infoOf, notices, removeFiles, observe, signal, onAsked });
  const { principals, ask, noticeChange } = asking;
  const { replies, ...own } = wireCommands({ ...shared, settings, principals, ask, admit: asking.admit });
  const acting = createActing({
    ...adapters,
    principals,
    posts: adapters.slackPosts,
    threads,
    conversations,
    feedback: adapters.slackFeedback,
    onFeedback: (value) => metrics.slackFeedback.inc({ value }),
    onUndo: (outcome) => metrics.slackUndos.inc({ outcome }),
    notices,
    calls,
  });
  const refusals = createRefusals({
    workspaces,
    installations: settings.installing && adapters.slackInstallations,
    removeFiles,
    apiUrl,
    log,
  });
  const appFor = ({ botId, botUserId }: Identity) =>
    createBoltApp({
      apiUrl,
      identity: { botId, botUserId },
      ask,
      noticeChange,
      acting,
      endRevoked: refusals.endRevoked,
      ...own,
    });
  function openProcessor(identity: Promise<Identity>) {
    const app = identity.then(appFor);
    app.catch(() => undefined);
    const reports = createFailureReports({ notices, replies, threads, identity });
    const inbox = adapters.slackInbox;
    const owner = randomUUID();
    return createProcessor({
      inbox,
      owner,
      async handle(delivery, withoutPlace) {
        if (await refusals.refuse(delivery)) return;
        const { body, attempts, receivedAt } = inWorkspace(delivery, (await identity).team);
        const work = deliveryWork({ inbox, owner }, delivery, withoutPlace);
        const customProperties = { attempts, receivedAt, work };
        await (await app).processEvent({ body, ack: async () => undefined, customProperties });
      },
      mayPass,
      onPutBack(delivery) {
        if (delivery.attempts === attemptsBeforeNotice)
          reports
            .reportWait(delivery)
            .catch((err: unknown) => log.warn({ err }, 'a person does not read that a message waits'));
      },
      reportFailure: (delivery, error) => reports.reportFailure(delivery, error),
      log,
      metrics,
    });
  }

  return {
    openProcessor,
    /** Of what comes from workspaces that are not let in: no person there reads of failures. */
    openRefuser: () => createRefuser({ inbox: adapters.slackInbox, refusals, log, metrics }),
  };
}

type RefuserDeps = Pick<Edge, 'log' | 'metrics'> & {
  inbox: SlackInbox;
  refusals: Pick<ReturnType<typeof createRefusals>, 'refuse'>;
};

const createRefuser = ({ inbox, refusals, log, metrics }: RefuserDeps) =>
  createProcessor({
    inbox,
    owner: randomUUID(),
    async handle(delivery) {
      if (!(await refusals.refuse(delivery))) throw new LetInMeanwhile();
    },
    mayPass: (error) => error instanceof LetInMeanwhile || mayPass(error),
    onPutBack: () => undefined,
    reportFailure: async () => undefined,
    log,
    metrics,
  });

/** The delivery is for the processor of its workspace. */
class LetInMeanwhile extends Error {
  constructor() {
    super('the workspace is let in now');
  }
}
