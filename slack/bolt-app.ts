import { App, type Receiver } from '@slack/bolt';
import type { Acting } from './acting/acting.ts';
import type { createAskAbout } from './acting/ask-about.ts';
import { aboutMessageIn, askedAboutIn } from './acting/press.ts';
import type { createNoticeChange } from './asking/notice-change.ts';
import type { Question } from './asking/question.ts';
import { changedQuestionIn, questionIn } from './asking/question.ts';
import { commandIn, type SlackCommand } from './commands/command.ts';
import { slashCommand } from './commands/command-list.ts';
import { removalsIn } from './files/removals.ts';
import type { DeliveryWork } from './processing/delivery-work.ts';
import { homeVisitIn, type HomeVisit } from './home/publish-home.ts';
import { approvalFormId, askAboutFormId, askAboutShortcutId, feedbackFormId } from './rendering/actions.ts';
import { silentLog } from './silent-log.ts';

type Deps = {
  apiUrl: string | undefined;
  identity: { botId: string; botUserId: string };
  ask: (question: Question, work?: DeliveryWork) => Promise<void>;
  noticeChange: ReturnType<typeof createNoticeChange>;
  /** `attempts`: how often it was tried, this time included. */
  runCommand: (command: SlackCommand, attempts: number) => Promise<void>;
  publishHome: (visit: HomeVisit) => Promise<void>;
  acting: Acting;
  askAbout: ReturnType<typeof createAskAbout>;
  /** Slack has ended an installation. */
  endRevoked: (body: object) => Promise<void>;
};

/**
 * The listeners. Events come from the inbox, which a processor reads: Bolt's own receivers acknowledge an event before
 * its listener runs, so that a process that ends loses it.
 *
 * Listeners call Slack by the queue of calls, which keeps Slack's limits, and not by Bolt's client.
 */
export function createBoltApp({ apiUrl, identity, acting, ...deps }: Deps): App {
  const { ask, noticeChange, runCommand, publishHome, askAbout, endRevoked } = deps;
  const app = new App({
    ...identity,
    token: noToken,
    receiver: noReceiver,
    tokenVerificationEnabled: false,
    convoStore: false,
    logger: silentLog,
    clientOptions: apiUrl === undefined ? {} : { slackApiUrl: apiUrl },
  });
  app.error(async (error) => {
    // Bolt wraps an error without a code.
    throw 'original' in error && error.original instanceof Error ? error.original : error;
  });
  app.event('app_mention', async ({ body, context }) => {
    const question = questionIn(body, identity.botUserId);
    if (question) await ask(question, workIn(context));
  });
  app.event('message', async ({ body, context }) => {
    const changed = changedQuestionIn(body, identity.botUserId);
    const removals = removalsIn(body);
    if (changed || removals.length > 0) return noticeChange(changed, removals);
    const question = questionIn(body, identity.botUserId);
    if (question) await ask(question, workIn(context));
  });
  app.event('file_deleted', ({ body }) => noticeChange(undefined, removalsIn(body)));
  app.event('app_home_opened', async ({ body }) => {
    const visit = homeVisitIn(body);
    if (visit) await publishHome(visit);
  });
  app.command(slashCommand, async ({ body, context }) => {
    const command = commandIn(body);
    if (command) await runCommand(command, Number(context.attempts ?? 1));
  });
  app.shortcut(askAboutShortcutId, async ({ body }) => {
    const about = aboutMessageIn(body);
    if (about) await askAbout.open(about);
  });
  app.view(askAboutFormId, async ({ body, context }) => {
    const asked = askedAboutIn(body);
    const work = workIn(context);
    if (asked && work) await askAbout.submit(asked, work);
  });
  app.action(/^(approval|budget|task)_/, ({ body, context }) => acting.press(body, context.receivedAt as Date));
  app.view(approvalFormId, ({ body }) => acting.submit(body));
  app.view(feedbackFormId, ({ body, context }) => acting.comment(body, context.receivedAt as Date));
  app.event('agent_session_stopped', ({ body, context }) => acting.stopped(body, context.receivedAt as Date));
  app.event('app_uninstalled', ({ body }) => endRevoked(body));
  app.event('tokens_revoked', ({ body }) => endRevoked(body));
  return app;
}

/** Bolt wants one for its client, which makes no calls. */
const noToken = 'xoxb-none';

/** As the processor gave it. */
const workIn = (context: Record<string, unknown>) => context.work as DeliveryWork | undefined;

const noReceiver: Receiver = { init: () => undefined, start: async () => undefined, stop: async () => undefined };
