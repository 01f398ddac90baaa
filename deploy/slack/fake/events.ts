import { apiMessage, compact } from './api-objects.ts';
import type { Deliveries, Delivery } from './deliveries.ts';
import { createHourlyLimit } from './hourly-limit.ts';
import type { State } from './state.ts';
import type { Args, Channel, ChannelKind, Message } from './types.ts';

/** What an app must subscribe to, and which scope it needs, for a message in each kind of channel. */
const messageEvents: Record<ChannelKind, { event: string; scope: string; type: string }> = {
  public: { event: 'message.channels', scope: 'channels:history', type: 'channel' },
  private: { event: 'message.groups', scope: 'groups:history', type: 'group' },
  im: { event: 'message.im', scope: 'im:history', type: 'im' },
  mpim: { event: 'message.mpim', scope: 'mpim:history', type: 'mpim' },
};

function envelope(state: State, team: string, event: Args): Args {
  const channel = typeof event['channel'] === 'string' ? state.channels.get(event['channel']) : undefined;
  const workspace = state.workspaces.get(team);
  const bot = workspace?.botUserId;
  const enterprise = workspace?.enterprise ?? null;
  return {
    token: state.app.verificationToken,
    team_id: team,
    context_team_id: team,
    ...(enterprise === null ? {} : { enterprise_id: enterprise }),
    context_enterprise_id: enterprise,
    api_app_id: state.app.id,
    event,
    type: 'event_callback',
    event_id: state.nextId('Ev'),
    event_time: Math.floor(state.clock.now() / 1_000),
    authorizations: [
      { enterprise_id: enterprise, team_id: team, user_id: bot, is_bot: true, is_enterprise_install: false },
    ],
    is_ext_shared_channel: channel?.external ?? false,
    event_context: `4-${state.nextId('')}`,
  };
}

export type Events = ReturnType<typeof createEvents>;

/** Sends the app what the Events API sends: what it subscribed to and has scopes for, where it is a member. */
export function createEvents({
  state,
  deliveries,
  eventsAnHour,
  url,
}: {
  state: State;
  deliveries: Deliveries;
  eventsAnHour: number;
  url: () => string;
}) {
  const hourly = createHourlyLimit({ state, deliveries, eventsAnHour });

  const publish = (team: string, subscription: string, scope: string | undefined, event: Args): Delivery[] => {
    const workspace = state.workspaces.get(team);
    if (!workspace?.installed || !state.app.events.has(subscription)) return [];
    if (scope !== undefined && !workspace.scopes.has(scope)) return [];
    if (!hourly.take(team)) return [];
    const payload = envelope(state, team, event);
    return [deliveries.start(String(payload['event_id']), 'event', payload)];
  };

  const isMember = (channel: Channel) => channel.members.has(state.workspaces.get(channel.team)?.botUserId ?? '');

  const publishMessage = (channel: Channel, event: Args): Delivery[] => {
    if (!isMember(channel)) return [];
    const { event: subscription, scope, type } = messageEvents[channel.kind];
    return publish(channel.team, subscription, scope, { ...event, channel: channel.id, channel_type: type });
  };

  /** A mention in a channel arrives twice: as `app_mention` and as `message`, with different event ids. */
  const publishMention = (channel: Channel, message: Message): Delivery[] => {
    const bot = state.workspaces.get(channel.team)?.botUserId ?? '';
    const mentioned = channel.kind !== 'im' && message.user !== bot && message.text.includes(`<@${bot}`);
    if (!mentioned || !isMember(channel)) return [];
    const { channel_type: _, ...event } = apiMessage(state, message, url());
    return publish(channel.team, 'app_mention', 'app_mentions:read', {
      ...event,
      type: 'app_mention',
      channel: channel.id,
      event_ts: message.ts,
    });
  };

  return {
    publish,
    message(message: Message): Delivery[] {
      const channel = state.channels.get(message.channel);
      if (!channel || message.ephemeralTo !== undefined) return [];
      const external = state.users.get(message.user)?.kind === 'external';
      const event = compact({
        ...apiMessage(state, message, url()),
        event_ts: message.ts,
        user_team: external ? state.users.get(message.user)?.team : undefined,
        source_team: external ? state.users.get(message.user)?.team : undefined,
      });
      return [...publishMention(channel, message), ...publishMessage(channel, event)];
    },
    messageChanged(message: Message, previous: Args): Delivery[] {
      const channel = state.channels.get(message.channel);
      if (!channel || message.ephemeralTo !== undefined) return [];
      const ts = state.nextTs();
      return publishMessage(channel, {
        type: 'message',
        subtype: 'message_changed',
        hidden: true,
        message: apiMessage(state, message, url()),
        previous_message: previous,
        ts,
        event_ts: ts,
      });
    },
    messageDeleted(channel: Channel, previous: Args): Delivery[] {
      const ts = state.nextTs();
      return publishMessage(channel, {
        type: 'message',
        subtype: 'message_deleted',
        hidden: true,
        deleted_ts: previous['ts'],
        previous_message: previous,
        ts,
        event_ts: ts,
      });
    },
  };
}
