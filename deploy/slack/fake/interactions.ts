import { apiMessage } from './api-objects.ts';
import { findElement, stateOf } from './form-values.ts';
import type { Interaction, Payloads } from './interaction-payloads.ts';
import type { Lookup, MessageRef, Ref } from './lookup.ts';
import { respondToCommand } from './response-urls.ts';
import type { State } from './state.ts';

/** Buttons and menus in messages, shortcuts and commands, as people use them. */
export function createInteractions({
  state,
  payloads,
  lookup,
  url,
}: {
  state: State;
  payloads: Payloads;
  lookup: Lookup;
  url: () => string;
}) {
  return {
    /** Presses a button or picks an option in a message. `choice` is the value picked, or `positive`/`negative`. */
    press: (userRef: Ref, ref: MessageRef, actionId: string, choice?: string): Promise<Interaction> => {
      const user = lookup.user(userRef);
      const message = lookup.message(ref, user);
      const channel = lookup.channelOf(ref.channel, user);
      const isEphemeral = message.ephemeralTo !== undefined;
      return payloads.send('interactive', {
        type: 'block_actions',
        ...payloads.base(user, message.team),
        container: {
          type: 'message',
          message_ts: message.ts,
          channel_id: message.channel,
          is_ephemeral: isEphemeral,
          ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
        },
        channel: payloads.channel(channel),
        ...(isEphemeral ? {} : { message: apiMessage(state, message, url()) }),
        state: { values: stateOf(message.blocks, {}) },
        response_url: payloads.responseUrl(user, channel, message),
        actions: [payloads.action(findElement(message.blocks, actionId), choice)],
      });
    },
    /** A shortcut in the menu of a message. */
    messageShortcut: (userRef: Ref, ref: MessageRef, callbackId: string): Promise<Interaction> => {
      const user = lookup.user(userRef);
      const message = lookup.message(ref, user);
      const channel = lookup.channelOf(ref.channel, user);
      return payloads.send('interactive', {
        type: 'message_action',
        ...payloads.base(user, message.team),
        callback_id: callbackId,
        action_ts: state.nextTs(),
        message_ts: message.ts,
        channel: payloads.channel(channel),
        message: apiMessage(state, message, url()),
        response_url: payloads.responseUrl(user, channel, message),
      });
    },
    /** A slash command. Slack has none in threads. */
    command: async (userRef: Ref, channelRef: Ref, command: string, argument = ''): Promise<Interaction> => {
      const user = lookup.user(userRef);
      const channel = lookup.channelOf(channelRef, user);
      const { id, name } = payloads.channel(channel);
      const done = await payloads.send('command', {
        token: state.app.verificationToken,
        team_id: channel.team,
        team_domain: payloads.workspaceOf(channel.team).domain,
        channel_id: id,
        channel_name: name,
        user_id: user.id,
        user_name: user.name,
        command,
        text: argument,
        api_app_id: state.app.id,
        is_enterprise_install: 'false',
        response_url: payloads.responseUrl(user, channel),
        trigger_id: payloads.triggerId(user, channel.team),
      });
      if (done.acknowledged) respondToCommand(state, channel, user.id, done.response);
      return done;
    },
  };
}
