import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';
import { statusLifeMs, streamLimits } from './limits.ts';
import { endStream } from './stream-end.ts';
import { shownText } from './shown-text.ts';
import type { App, Block, Channel, Message, SlackFile, User, View, Workspace } from './types.ts';

export type Status = { text: string; loadingMessages: string[]; setAt: number };
export type AgentSession = { status: string; title: string | undefined; user: string | undefined };
export type Trigger = { user: string; team: string; expiresAt: number; used: boolean };
export type ResponseUrl = {
  team: string;
  channel: string;
  user: string;
  ts: string | undefined;
  threadTs: string | undefined;
  expiresAt: number;
  uses: number;
};
export type Prompts = { title: string | undefined; prompts: { title: string; message: string }[] };

/** Slack gives each block an id, so that an interaction can name it. */
export const withBlockIds = (blocks: Block[]): Block[] =>
  blocks.map((block) =>
    typeof block['block_id'] === 'string' ? block : { ...block, block_id: randomBytes(4).toString('base64url') },
  );

/** What Slack stores. */
export type State = ReturnType<typeof createState>;

export const threadKey = (channel: string, thread: string | undefined): string => `${channel}:${thread ?? ''}`;

const secret = (prefix: string) => `${prefix}-${randomBytes(16).toString('hex')}`;

function createApp(name: string): App {
  return {
    id: 'A0000000001',
    name,
    appToken: secret('xapp-1-A0000000001'),
    signingSecret: randomBytes(16).toString('hex'),
    clientId: '1000000001.1000000002',
    clientSecret: randomBytes(16).toString('hex'),
    verificationToken: randomBytes(12).toString('hex'),
    events: new Set(),
  };
}

const emptyMessage = {
  botId: undefined,
  text: '',
  threadTs: undefined,
  broadcast: false,
  subtype: undefined,
  edited: undefined,
  metadata: undefined,
  ephemeralTo: undefined,
  hidden: false,
  stream: undefined,
};

const lists = () => ({ blocks: [], attachments: [], files: [], versions: [] });

function createIds(clock: Clock) {
  let lastMicros = 0;
  let ids = 0;
  return {
    nextId(prefix: string): string {
      ids += 1;
      return `${prefix}${String(ids).padStart(10, '0')}`;
    },
    /** Timestamps of messages: unique and rising, as in Slack. */
    nextTs(): string {
      lastMicros = Math.max(lastMicros + 1, clock.now() * 1_000);
      return `${Math.floor(lastMicros / 1e6)}.${String(lastMicros % 1e6).padStart(6, '0')}`;
    },
  };
}

export function createState({ clock, appName }: { clock: Clock; appName: string }) {
  const state = {
    ...createIds(clock),
    clock,
    app: createApp(appName),
    workspaces: new Map<string, Workspace>(),
    users: new Map<string, User>(),
    channels: new Map<string, Channel>(),
    files: new Map<string, SlackFile>(),
    views: new Map<string, View>(),
    /** The home tab of each person: its view's id. */
    homes: new Map<string, string>(),
    /** The open modals of each person, the topmost last. */
    modals: new Map<string, string[]>(),
    statuses: new Map<string, Status>(),
    sessions: new Map<string, AgentSession>(),
    prompts: new Map<string, Prompts>(),
    titles: new Map<string, string>(),
    triggers: new Map<string, Trigger>(),
    responseUrls: new Map<string, ResponseUrl>(),
    /** Codes of the OAuth page: code → workspace. */
    oauthCodes: new Map<string, string>(),

    botToken: () => secret('xoxb'),
    message(channelId: string, ts: string | undefined): Message | undefined {
      return state.channels.get(channelId)?.messages.find((message) => message.ts === ts);
    },
    /** Ends streams whose time is over. */
    streamState(message: Message): string | undefined {
      const { stream } = message;
      if (stream?.state === 'in_progress' && clock.now() - stream.startedAt >= streamLimits.lifeMs)
        endStream(message, 'errored');
      return stream?.state;
    },
    status(channel: string, thread: string): Status | undefined {
      const key = threadKey(channel, thread);
      const status = state.statuses.get(key);
      if (!status) return undefined;
      if (clock.now() - status.setAt < statusLifeMs) return status;
      state.statuses.delete(key);
      return undefined;
    },
    recordVersion(message: Message): void {
      const shown = shownText(message);
      if (message.versions.at(-1)?.shown !== shown) message.versions.push({ at: clock.now(), shown });
    },
    newMessage(channel: Channel, fields: Partial<Message> & { user: string }): Message {
      return {
        ...emptyMessage,
        ts: state.nextTs(),
        channel: channel.id,
        team: channel.team,
        reactions: new Map(),
        ...lists(),
        ...fields,
      };
    },
    insertMessage(channel: Channel, message: Message): Message {
      channel.messages.push(message);
      state.recordVersion(message);
      return message;
    },
    addMessage(channel: Channel, fields: Partial<Message> & { user: string }): Message {
      return state.insertMessage(channel, state.newMessage(channel, fields));
    },
    directMessage(team: string, userId: string): Channel {
      const bot = state.workspaces.get(team)?.botUserId ?? '';
      const existing = [...state.channels.values()].find(
        ({ kind, members, team: other }) => kind === 'im' && other === team && members.has(userId) && members.has(bot),
      );
      if (existing) return existing;
      return state.addChannel({ team, name: '', kind: 'im', members: new Set([userId, bot]), external: false });
    },
    addChannel(fields: Pick<Channel, 'team' | 'name' | 'kind' | 'members' | 'external'>): Channel {
      const id = state.nextId(fields.kind === 'im' ? 'D' : 'C');
      const channel: Channel = { id, archived: false, messages: [], ...fields };
      state.channels.set(id, channel);
      return channel;
    },
    addTrigger(user: string, team: string, lifeMs: number): string {
      const id = `${Math.floor(clock.now() / 1_000)}.${state.nextId('')}.${randomBytes(8).toString('hex')}`;
      state.triggers.set(id, { user, team, expiresAt: clock.now() + lifeMs, used: false });
      return id;
    },
  };
  return state;
}
