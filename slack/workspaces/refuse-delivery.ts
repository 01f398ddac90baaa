import { LRUCache } from 'lru-cache';
import { isRecord } from '../../contract/json.ts';
import type { SlackDelivery, SlackInstallations } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { aboutMessageIn, actIn } from '../acting/press.ts';
import { isSlackCallError, judgeFailure, SlackCallError } from '../api-calls/call-error.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { createNotices } from '../asking/notices.ts';
import { isForAlfred, questionIn } from '../asking/question.ts';
import { commandIn } from '../commands/command.ts';
import { linesMessage } from '../commands/lines-message.ts';
import { createReplies } from '../commands/replies.ts';
import { removalsIn } from '../files/removals.ts';
import type { RemoveFiles } from '../files/remove-files.ts';
import { inWorkspace } from '../processing/in-workspace.ts';
import type { Workspaces } from './workspaces.ts';

/** So long a person who has read why Alfred does not answer does not read it again. */
const quietMs = 600_000;

const waits =
  'I am installed in this workspace, and the people who run me have not let it in yet. Ask them to: until then I answer no one here.';

/** Which installation an event ends, and when Slack sent it. */
function revocationIn(body: object): { team: string; at: Date } | undefined {
  const { team_id: team, event, event_time: seconds } = body as Record<string, unknown>;
  const { type, tokens } = isRecord(event) ? event : {};
  // A person alone can revoke what it has allowed; Alfred has a token of its own.
  const ofBot = isRecord(tokens) && Array.isArray(tokens.bot) && tokens.bot.length > 0;
  if (type !== 'app_uninstalled' && !(type === 'tokens_revoked' && ofBot)) return undefined;
  return typeof team === 'string' && typeof seconds === 'number' ? { team, at: new Date(seconds * 1_000) } : undefined;
}

type Deps = {
  workspaces: Workspaces;
  /** Absent: Alfred is only in the workspace of its bot token. */
  installations: Pick<SlackInstallations, 'end'> | undefined;
  removeFiles: Pick<RemoveFiles, 'remove'>;
  apiUrl: string | undefined;
  log: Pick<Logger, 'info' | 'warn'>;
};

/** What Slack sends about workspaces that have installed Alfred, and that it does not answer. */
export function createRefusals({ workspaces, installations, removeFiles, apiUrl, log }: Deps) {
  const informed = new LRUCache<string, true>({ max: 10_000, ttl: quietMs });

  /** Calls for a workspace that is not let in: for this line alone, and never in the way of the others. */
  const calls: Pick<SlackCalls, 'call'> = {
    async call({ team, method, arguments: read }) {
      const client = (await workspaces.findInstalled(team))?.client;
      if (!client) throw new SlackCallError(method, 'not_authed', 'refused');
      try {
        return { ...(await client.apiCall(method, read())) };
      } catch (error) {
        const failure = judgeFailure(method, error);
        throw failure instanceof Error ? failure : new SlackCallError(method, 'ratelimited', 'refused');
      }
    },
  };
  const notices = createNotices(calls);
  const replies = createReplies({ calls, apiUrl });

  async function explain({ kind, body }: SlackDelivery, botUserId: string): Promise<void> {
    // A shortcut is answered as a command is: also where Alfred is no member.
    const asked = kind === 'command' ? commandIn(body) : kind === 'interactive' ? aboutMessageIn(body) : undefined;
    if (asked) return replies.send(asked, linesMessage(waits, []));
    const act = kind === 'interactive' ? actIn(body) : undefined;
    const question = kind === 'event' ? questionIn(body, botUserId) : undefined;
    const about = act ?? (question && isForAlfred(question, false) ? question : undefined);
    const person = about && `${about.team}:${about.userId}`;
    if (!person || informed.has(person)) return;
    informed.set(person, true);
    await notices.send(about, waits);
  }

  async function endRevoked(body: object): Promise<void> {
    const revoked = revocationIn(body);
    if (!revoked || workspaces.isOwn(revoked.team)) return;
    const ended = await installations?.end(revoked.team, revoked.at);
    workspaces.forget(revoked.team);
    if (ended) log.info({ team: revoked.team }, 'Alfred was removed from a workspace, and its token is deleted');
  }

  return {
    /** Ends an installation that Slack has ended. */
    endRevoked,

    /**
     * Handles what comes from a workspace that no operator has let in. A person who asks reads why there is no answer.
     *
     * @returns false when the workspace is let in, and its people get answers
     */
    async refuse(delivery: SlackDelivery): Promise<boolean> {
      const { team } = delivery;
      if (!installations) return false;
      if (team === '') {
        log.warn({ kind: delivery.kind }, 'what Slack has sent names no workspace, and was left out');
        return true;
      }
      if (workspaces.isOwn(team)) return false;
      const installation = (await workspaces.findInstalled(team))?.installation;
      if (installation?.state === 'allowed') return false;
      const sent = inWorkspace(delivery, team);
      await endRevoked(sent.body);
      // It may have been let in before, and what its people delete now is no document any more.
      if (sent.kind === 'event') await removeFiles.remove(removalsIn(sent.body));
      if (installation?.state !== 'pending') return true;
      await explain(sent, installation.botUserId).catch((error: unknown) => {
        if (!isSlackCallError(error)) throw error;
        log.warn({ team, code: error.code }, 'a person does not read why Alfred does not answer');
      });
      return true;
    },
  };
}
