import { interactionLimits } from './limits.ts';
import { flag, text } from './args.ts';
import { readContent } from './methods/chat.ts';
import { type ResponseUrl, type State, withBlockIds } from './state.ts';
import { type Args, type Channel, type Message, SlackError } from './types.ts';

function addAnswer(state: State, channel: Channel, user: string, args: Args): Message {
  const { given: _, ...content } = readContent(args);
  const workspace = state.workspaces.get(channel.team);
  return state.addMessage(channel, {
    ...content,
    blocks: withBlockIds(content.blocks),
    user: workspace?.botUserId ?? '',
    botId: workspace?.botId,
    threadTs: text(args, 'thread_ts'),
    ephemeralTo: text(args, 'response_type') === 'in_channel' ? undefined : user,
  });
}

/** What an app answers to a command with its acknowledgement is shown to the person. */
export function respondToCommand(state: State, channel: Channel, user: string, response: Args | undefined): void {
  const hasContent =
    response !== undefined && ['text', 'blocks', 'attachments'].some((name) => response[name] !== undefined);
  if (hasContent) addAnswer(state, channel, user, response);
}

/** @throws SlackError `used_url`, `expired_url` */
function use(state: State, target: ResponseUrl): void {
  if (state.clock.now() > target.expiresAt) throw new SlackError('expired_url');
  if (target.uses >= interactionLimits.responseUrlUses) throw new SlackError('used_url');
  target.uses += 1;
}

/** A post to a `response_url`: five times within thirty minutes. */
export function respond(state: State, id: string, args: Args): void {
  const target = state.responseUrls.get(id);
  const channel = state.channels.get(target?.channel ?? '');
  if (!target || !channel) throw new SlackError('no_such_url');
  use(state, target);
  const original = state.message(target.channel, target.ts);
  if (flag(args, 'delete_original')) {
    channel.messages = channel.messages.filter((message) => message !== original);
    return;
  }
  const replaces = original !== undefined && flag(args, 'replace_original');
  if (!replaces) {
    addAnswer(state, channel, target.user, args);
    return;
  }
  const { given: _, ...content } = readContent(args);
  Object.assign(original, { ...content, blocks: withBlockIds(content.blocks) });
  state.recordVersion(original);
}
