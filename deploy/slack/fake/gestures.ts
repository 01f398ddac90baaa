import type { Delivery } from './deliveries.ts';
import type { Events } from './events.ts';
import type { Lookup, MessageRef, Ref } from './lookup.ts';
import { apiView } from './methods/views.ts';
import { type State, threadKey } from './state.ts';
import { endStream } from './stream-end.ts';

/** What people do without writing: reactions, visits to the app, the stop button. */
export function createGestures({ state, events, lookup }: { state: State; events: Events; lookup: Lookup }) {
  return {
    react: (userRef: Ref, ref: MessageRef, name: string): Delivery[] => {
      const user = lookup.user(userRef);
      const message = lookup.message(ref, user);
      message.reactions.set(name, (message.reactions.get(name) ?? new Set()).add(user.id));
      return events.publish(message.team, 'reaction_added', 'reactions:read', {
        type: 'reaction_added',
        user: user.id,
        reaction: name,
        item_user: message.user,
        item: { type: 'message', channel: ref.channel, ts: ref.ts },
        event_ts: state.nextTs(),
      });
    },
    /** Opens the app: its home tab, or the tab with the conversations. */
    openApp: (userRef: Ref, tab: 'home' | 'messages' = 'home'): Delivery[] => {
      const user = lookup.user(userRef);
      const workspace = state.workspaces.get(user.team);
      if (!workspace) throw new Error(`${user.name} is in no workspace that has the app.`);
      const view = state.views.get(state.homes.get(user.id) ?? '');
      return events.publish(workspace.id, 'app_home_opened', undefined, {
        type: 'app_home_opened',
        user: user.id,
        channel: state.directMessage(workspace.id, user.id).id,
        tab,
        event_ts: state.nextTs(),
        ...(view && tab === 'home' ? { view: apiView(state, view, workspace) } : {}),
      });
    },
    /** Presses Slack's own stop button. The app's streams in the thread end at once; its status does not. */
    stopTask: (userRef: Ref, channelRef: Ref, thread: string): Delivery[] => {
      const user = lookup.user(userRef);
      const channel = lookup.channelOf(channelRef, user);
      const streaming = channel.messages.filter(
        (message) => message.threadTs === thread && state.streamState(message) === 'in_progress',
      );
      const isProcessing = state.sessions.get(threadKey(channel.id, thread))?.status === 'processing';
      if (streaming.length === 0 && !isProcessing && !state.status(channel.id, thread))
        throw new Error('Slack shows a stop button only while the app works in the thread.');
      for (const message of streaming) {
        endStream(message, 'completed');
        if (message.stream) message.stream.stoppedByUser = true;
        state.recordVersion(message);
      }
      return events.publish(channel.team, 'agent_session_stopped', undefined, {
        type: 'agent_session_stopped',
        channel: channel.id,
        user: user.id,
        thread_ts: thread,
        streaming_message_ts: streaming.map(({ ts }) => ts),
        event_ts: state.nextTs(),
      });
    },
  };
}
