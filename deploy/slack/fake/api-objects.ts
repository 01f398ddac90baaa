import type { State } from './state.ts';
import type { Args, Channel, Message, SlackFile, User } from './types.ts';

/** Leaves out what is undefined: Slack sends no empty members. */
export const compact = (fields: Args): Args =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

export function apiFile(state: State, file: SlackFile, url: string): Args {
  const mode = file.deleted ? 'tombstone' : (file.mode ?? 'hosted');
  // Of these Slack shows nothing else.
  if (mode === 'tombstone' || mode === 'hidden_by_limit') return { id: file.id, mode };
  const isExternal = mode === 'external';
  const base = `${url}/files-pri/${file.team}-${file.id}`;
  const name = encodeURIComponent(file.name);
  return {
    id: file.id,
    created: Math.floor(file.createdAt / 1_000),
    timestamp: Math.floor(file.createdAt / 1_000),
    name: file.name,
    title: file.title,
    mimetype: file.mimetype,
    filetype: file.name.split('.').at(-1) ?? 'binary',
    user: file.user,
    user_team: state.users.get(file.user)?.team ?? file.team,
    mode,
    is_external: isExternal,
    external_type: isExternal ? 'gdrive' : '',
    size: isExternal ? 0 : file.content.length,
    file_access: 'visible',
    url_private: isExternal ? `https://drive.example.com/${file.id}` : `${base}/${name}`,
    ...(isExternal ? {} : { url_private_download: `${base}/download/${name}` }),
    permalink: `${url}/files/${file.user}/${file.id}/${name}`,
    channels: [...file.channels].filter((id) => state.channels.get(id)?.kind === 'public'),
    groups: [...file.channels].filter((id) => state.channels.get(id)?.kind === 'private'),
    ims: [...file.channels].filter((id) => state.channels.get(id)?.kind === 'im'),
  };
}

/** In channels with another company, events name files only by their id: the app must ask `files.info`. */
const fileStub = ({ id, createdAt }: SlackFile): Args => ({
  id,
  created: Math.floor(createdAt / 1_000),
  timestamp: Math.floor(createdAt / 1_000),
  mode: 'file_access',
  file_access: 'check_file_info',
  user: '',
});

export function apiUser(user: User, withEmail: boolean): Args {
  return {
    id: user.id,
    team_id: user.team,
    name: user.name,
    real_name: user.realName,
    deleted: user.deleted,
    tz: user.timezone,
    is_admin: user.admin,
    is_owner: false,
    is_bot: user.kind === 'bot',
    is_app_user: false,
    is_restricted: user.kind === 'guest',
    is_ultra_restricted: false,
    is_stranger: user.kind === 'external',
    is_email_confirmed: user.emailConfirmed && user.email !== undefined && user.kind !== 'external',
    profile: compact({
      real_name: user.realName,
      display_name: user.name,
      team: user.team,
      email: withEmail && user.kind !== 'external' ? user.email : undefined,
    }),
  };
}

export function apiChannel(channel: Channel, bot: string): Args {
  const { kind } = channel;
  return compact({
    id: channel.id,
    name: kind === 'im' ? undefined : channel.name,
    user: kind === 'im' ? [...channel.members].find((member) => member !== bot) : undefined,
    is_channel: kind === 'public',
    is_group: kind === 'private',
    is_im: kind === 'im',
    is_mpim: kind === 'mpim',
    is_private: kind !== 'public',
    is_archived: channel.archived,
    is_member: kind === 'im' ? undefined : channel.members.has(bot),
    is_shared: channel.external || channel.isOrgShared === true,
    is_ext_shared: channel.external,
    is_org_shared: channel.isOrgShared === true,
    is_general: false,
    context_team_id: channel.team,
    num_members: channel.members.size,
  });
}

/** People write rich text; Slack sends it as a block beside the text. */
const richText = (text: string): Args => ({
  type: 'rich_text',
  block_id: 'text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }],
});

/** A message as the Web API and the events show it. */
export function apiMessage(state: State, message: Message, url: string): Args {
  const channel = state.channels.get(message.channel);
  const replies = (channel?.messages ?? []).filter(
    (other) => other.threadTs === message.ts && other !== message && !other.ephemeralTo,
  );
  const parent = message.threadTs === undefined ? undefined : state.message(message.channel, message.threadTs);
  const isThreadParent = replies.length > 0;
  const fromPerson = message.botId === undefined && message.text !== '';
  const streamState = state.streamState(message);
  return compact({
    type: 'message',
    subtype: message.subtype,
    user: message.user,
    ts: message.ts,
    text: message.text,
    team: state.users.get(message.user)?.team ?? message.team,
    bot_id: message.botId,
    app_id: message.botId ? state.app.id : undefined,
    bot_profile: message.botId
      ? { id: message.botId, app_id: state.app.id, name: state.app.name, team_id: message.team }
      : undefined,
    blocks: fromPerson && message.blocks.length === 0 ? [richText(message.text)] : message.blocks,
    attachments: message.attachments.length > 0 ? message.attachments : undefined,
    thread_ts: message.threadTs ?? (isThreadParent ? message.ts : undefined),
    parent_user_id: parent && parent !== message ? parent.user : undefined,
    reply_count: isThreadParent ? replies.length : undefined,
    reply_users: isThreadParent ? [...new Set(replies.map(({ user }) => user))] : undefined,
    latest_reply: replies.at(-1)?.ts,
    edited: message.edited,
    metadata: message.metadata,
    streaming_state: streamState,
    files:
      message.files.length > 0
        ? message.files.flatMap((id) => {
            const file = state.files.get(id);
            if (!file) return [];
            return [channel?.external || file.onlyNamed ? fileStub(file) : apiFile(state, file, url)];
          })
        : undefined,
    upload: message.files.length > 0 ? false : undefined,
    reactions:
      message.reactions.size > 0
        ? [...message.reactions].map(([name, users]) => ({ name, users: [...users], count: users.size }))
        : undefined,
  });
}
