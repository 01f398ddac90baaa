import { isRecord } from '../../contract/json.ts';
import type { SlackLinking, SlackUserLinks } from '../../contract/ports/index.ts';
import type { Scope } from '../../contract/references.ts';
import { slackLinkDigitsIn, slackLinkLastsMs, slackLinkPath } from '../../contract/rules/slack-link.ts';
import type { Config } from '../../runtime/config.ts';
import { hashSlackLinkCode, hashSlackLinkDigits, newSlackLinkCode } from '../../runtime/slack-link-code.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';
import { oneLine } from '../rendering/cut.ts';
import { escapeMrkdwn, mrkdwnLink } from '../rendering/mrkdwn.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import { code, linesMessage } from './lines-message.ts';
import type { Replies } from './replies.ts';
import type { CommandSender } from './task-commands.ts';

type LinkConfig = Pick<Config, 'ALFRED_PUBLIC_URL' | 'OIDC_ISSUER'>;

type Deps = {
  config: LinkConfig;
  /** The tenant of the people of a workspace. */
  tenantOf: (team: string) => Promise<string>;
  linking: SlackLinking;
  links: Pick<SlackUserLinks, 'find'>;
  calls: SlackCalls;
  replies: Replies;
  /** The name of a workspace. */
  nameOf: (team: string) => Promise<string>;
};

const maxName = 100;

/** Links Slack users with those who are signed in, and ends that. */
export function createLinkCommands(deps: Deps) {
  const { config, linking, links, calls, replies } = deps;

  async function userNameOf({ team, userId }: CommandSender): Promise<string> {
    const answer = await calls.call({ team, method: 'users.info', arguments: () => ({ user: userId }) });
    const user = isRecord(answer?.user) ? answer.user : {};
    const [name, realName] = [user.name, user.real_name].map((one) => (typeof one === 'string' ? one : ''));
    return oneLine(realName ? `${realName} (@${name})` : `@${name}`, maxName);
  }

  async function offerAddress(sender: CommandSender): Promise<SlackMessage> {
    const missing = missingVariables(config);
    if (missing.length > 0)
      return linesMessage(
        `Links are not set up here: ${missing.map((name) => code(name)).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing. The person who runs Alfred sets that.`,
        [],
      );
    const { team, userId } = sender;
    const [linked, tenant] = await Promise.all([links.find(team, userId), deps.tenantOf(team)]);
    // One of another tenant does not count, and another one takes its place.
    if (linked?.tenant === tenant) return linesMessage(`${youAre(linked)} \`/alfred unlink\` ends that.`, []);
    const secret = newSlackLinkCode();
    const [userName, workspaceName] = await Promise.all([userNameOf(sender), deps.nameOf(team)]);
    const request = { team, userId, tenant, userName, workspace: oneLine(workspaceName, maxName) };
    await linking.begin(request, hashSlackLinkCode(secret), slackLinkLastsMs);
    const address = `${config.ALFRED_PUBLIC_URL}${slackLinkPath}?code=${secret}`;
    return linesMessage(
      `${mrkdwnLink(address, 'Open this page')}, sign in there, and confirm. It then shows you what to write here.`,
      [],
      ['The address counts once, for ten minutes, and for you alone: give it to no other person.'],
    );
  }

  /**
   * Informs the Slack user of what was done by a message that stays, and by the answer to the command where Slack takes
   * no message.
   */
  async function inform({ team, userId }: CommandSender, text: string): Promise<SlackMessage> {
    const message = linesMessage(text, []);
    try {
      await replies.send({ team, userId, responseUrl: undefined }, message);
    } catch (error) {
      if (isSlackCallError(error)) return message;
      throw error;
    }
    return linesMessage('Done.', []);
  }

  async function finish(sender: CommandSender, digits: string): Promise<SlackMessage> {
    const { team, userId } = sender;
    const outcome = await linking.finish(team, userId, hashSlackLinkDigits(team, userId, digits));
    if (outcome === 'wrong')
      return linesMessage(
        'These are not the digits that the page has shown. After five wrong ones you begin again.',
        [],
      );
    if (outcome !== 'none') return inform(sender, nowLinked(outcome.linked));
    // Also when a process that ended before it could say so has used the digits.
    const linked = await links.find(team, userId);
    return linesMessage(
      linked ? nowLinked(linked) : 'No page waits for digits of yours. Begin with `/alfred link`.',
      [],
    );
  }

  return {
    async link(sender: CommandSender, rest: string): Promise<SlackMessage> {
      if (rest === '') return offerAddress(sender);
      const digits = slackLinkDigitsIn(rest);
      if (digits !== undefined) return finish(sender, digits);
      return linesMessage('Write the eight digits behind it that the page has shown, or nothing to begin.', []);
    },

    async unlink(sender: CommandSender): Promise<SlackMessage> {
      const linked = await linking.unlink(sender.team, sender.userId);
      if (!linked) return linesMessage('Your Slack user is linked with no sign-in.', []);
      return inform(
        sender,
        `Your Slack user is not linked with ${code(linked.subject)} any more. I use for you what everyone may read.`,
      );
    },
  };
}

const youAre = ({ subject, tenant }: Scope) =>
  `Your Slack user is linked with ${code(subject)} of ${escapeMrkdwn(tenant)}.`;

const nowLinked = (scope: Scope) =>
  `${youAre(scope)} In direct messages I now use what you may read there. If this was not you, write \`/alfred unlink\`, and tell the person who runs Alfred.`;

/** What it takes that there is a page where a person signs in. How it does so there, the API alone knows. */
const missingVariables = (config: LinkConfig): string[] =>
  (['OIDC_ISSUER', 'ALFRED_PUBLIC_URL'] as const).filter((name) => config[name] === undefined);
