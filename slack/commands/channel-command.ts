import { findAgent, type Agents } from '../../agents/index.ts';
import type { Audit, SlackChannels, SlackChannelSettings, Tenants } from '../../contract/ports/index.ts';
import { decide, neededRoles } from '../../contract/rules/policy.ts';
import { readAgentInTenant } from '../../runtime/agent-in-tenant.ts';
import type { Config } from '../../runtime/config.ts';
import { plainTextOf } from '../asking/plain-text.ts';
import { slackSubject } from '../asking/slack-principals.ts';
import { oneLine } from '../rendering/cut.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import { code, linesMessage } from './lines-message.ts';
import type { CommandSender } from './task-commands.ts';

type Sender = CommandSender & { channel: string };

type Deps = {
  config: Pick<Config, 'ALFRED_AGENTS' | 'ALFRED_MODEL' | 'ANTHROPIC_API_KEY' | 'SLACK_AGENT'>;
  agents: Agents;
  tenants: Pick<Tenants, 'find'>;
  channels: SlackChannels;
  audit: Pick<Audit, 'check' | 'note' | 'record'>;
  /** The tenant of the people of a workspace. */
  tenantOf: (team: string) => Promise<string>;
};

/** As many people as a message can name. */
const mostPeople = 50;
const longestInstructions = 2_000;
const usage = [
  '/alfred channel on',
  '/alfred channel off',
  '/alfred channel agent <name>',
  '/alfred channel instructions <text>',
  '/alfred channel who everyone',
  '/alfred channel who @person …',
  '/alfred channel reset',
];

/** Shows how Alfred is set up in a channel, and changes it for those who may. */
export const createChannelCommand =
  ({ config, agents, channels, audit, tenantOf, tenants }: Deps) =>
  async (sender: Sender, words: string): Promise<SlackMessage> => {
    const { team, channel, principal } = sender;
    if (channel.startsWith('D')) return linesMessage('This is for channels: write it in the one that you mean.', []);
    const tenant = await tenantOf(team);
    const place = { tenant, team, channel };
    const may = principal.tenant === tenant && decide(principal, 'tenant', 'change', 'channel').allowed;
    const show = async (heading: string) =>
      linesMessage(heading, describe(sender, await channels.find(place), config.SLACK_AGENT), [
        may ? usage.map(code).join(', ') : whoMay,
      ]);
    if (words === '') return show('*In this channel*');
    const { tenant: ofSender, subject, kind, via } = principal;
    const resource = { type: 'slack_channel', id: `${team}:${channel}` };
    const entry = { tenant: ofSender, subject, kind, via, action: 'slack.channel', resource };
    if (!may) {
      audit.note({ ...entry, outcome: 'refused', code: 'role_missing' });
      return linesMessage(`You may not change that. ${whoMay}`, []);
    }
    const change = await changeIn(words, (name) => isForChannels({ config, agents, tenants }, tenant, name));
    if (typeof change === 'string') return linesMessage(change, []);
    audit.check();
    if (change === reset) await channels.reset(place);
    else await channels.change(place, change, subject);
    await audit.record({ ...entry, outcome: 'ok' });
    return show('*Done. In this channel*');
  };

const whoMay = `People may who are linked with a sign-in that has ${neededRoles('change', 'channel')}: \`/alfred link\`.`;

const reset = Symbol('reset');

/** @returns what is to be changed, or why that is not clear */
async function changeIn(
  words: string,
  isAgent: (name: string) => Promise<boolean>,
): Promise<Partial<SlackChannelSettings> | typeof reset | string> {
  const [word = ''] = words.split(/\s/, 1);
  const given = words.slice(word.length).trim();
  switch (word.toLowerCase()) {
    case 'on':
      return { isOn: true };
    case 'off':
      return { isOn: false };
    case 'reset':
      return reset;
    case 'agent':
      if (given === '') return 'Write the name of an agent behind it. `/alfred agents` lists them.';
      return (await isAgent(given)) ? { agent: given } : `There is no agent ${code(given)} that a channel may use.`;
    case 'instructions':
      return instructionsIn(plainTextOf(given, ''));
    case 'who':
      return peopleIn(given);
    default:
      return `I do not know ${code(word)}. You can write ${usage.map(code).join(', ')}.`;
  }
}

const isForChannels = async (
  deps: Pick<Deps, 'config' | 'agents' | 'tenants'>,
  tenant: string,
  name: string,
): Promise<boolean> =>
  findAgent(deps.agents, name) !== undefined && (await readAgentInTenant(deps, tenant, name)).mayBeUsedWith([]);

function instructionsIn(instructions: string): Partial<SlackChannelSettings> | string {
  if (instructions === '') return 'Write the instructions behind it, or `none`.';
  if (instructions.toLowerCase() === 'none') return { instructions: null };
  if (instructions.length <= longestInstructions) return { instructions };
  return `I take instructions of ${longestInstructions.toLocaleString('en')} characters.`;
}

function peopleIn(given: string): Partial<SlackChannelSettings> | string {
  if (given.toLowerCase() === 'everyone') return { userIds: null };
  // A name may have spaces.
  const words = given.replaceAll(/<@([A-Z0-9]+)[^>]*>/g, ' $1 ').split(/[\s,]+/);
  const found = words.filter((word) => word !== '');
  if (found.length === 0) return 'Write behind it who may ask: people, or `everyone`.';
  const unknown = found.filter((word) => !/^[UW][A-Z0-9]+$/.test(word));
  if (unknown.length > 0)
    return `I do not know ${unknown.slice(0, 5).map(code).join(', ')}. Choose people from the list that Slack shows behind \`@\`, or write their member ids.`;
  const userIds = [...new Set(found)];
  if (userIds.length > mostPeople) return `I take ${mostPeople} people. Make a channel for more of them.`;
  return { userIds };
}

const describe = (
  { team, channel }: Pick<Sender, 'team' | 'channel'>,
  { isOn, agent, userIds, instructions }: SlackChannelSettings,
  usualAgent: string,
): string[] => [
  isOn ? '• I answer.' : '• I am *off*, and answer no one.',
  `• The agent *${escapeMrkdwn(agent ?? usualAgent)}* answers in new threads${agent === null ? ', as everywhere' : ''}.`,
  `• ${userIds === null ? 'Everyone' : `Only ${userIds.map((id) => `<@${id}>`).join(', ')}`} may ask.`,
  ...(instructions === null ? [] : [`• Instructions in new threads: ${escapeMrkdwn(oneLine(instructions, 800))}`]),
  `• I use what ${code(slackSubject(team, channel))} may read.`,
];
