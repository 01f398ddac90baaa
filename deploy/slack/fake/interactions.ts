import { isRecord } from '../../../contract/json.ts';
import { apiChannel, apiMessage } from './api-objects.ts';
import type { Deliveries, Delivery } from './deliveries.ts';
import { findElement, type FoundElement, inputValues, stateOf } from './form-values.ts';
import { interactionLimits } from './limits.ts';
import { apiView, openModal, replaceView } from './methods/views.ts';
import { idOf, type MessageRef, type People, type Ref } from './people.ts';
import { respondToCommand } from './response-urls.ts';
import type { State } from './state.ts';
import type { Args, Block, Message, User, View, Workspace } from './types.ts';

/** What became of a person's press, form or command. */
export type Interaction = {
  /** False: Slack shows the person that the app did not answer in time. */
  acknowledged: boolean;
  response: Args | undefined;
  delivery: Delivery;
  /** Messages beside the fields of a form, by the block's id. */
  errors: Record<string, string>;
};

export type Interactions = ReturnType<typeof createInteractions>;

/** Buttons, menus, modals, shortcuts and commands, as people use them. */
export function createInteractions({
  state,
  deliveries,
  people,
  url,
}: {
  state: State;
  deliveries: Deliveries;
  people: People;
  url: () => string;
}) {
  const workspaceOf = (team: string): Workspace => {
    const workspace = state.workspaces.get(team);
    if (!workspace) throw new Error(`The app is not installed in ${team}.`);
    return workspace;
  };
  const responseUrl = (
    message: Pick<Message, 'team' | 'channel' | 'threadTs'> & { ts?: string },
    user: User,
  ): string => {
    const id = state.nextId('R');
    state.responseUrls.set(id, {
      team: message.team,
      channel: message.channel,
      user: user.id,
      ts: message.ts,
      threadTs: message.threadTs,
      expiresAt: state.clock.now() + interactionLimits.responseUrlLifeMs,
      uses: 0,
    });
    return `${url()}/response/${id}`;
  };
  const base = (user: User, team: string): Args => {
    const { id, domain } = workspaceOf(team);
    return {
      user: { id: user.id, username: user.name, name: user.name, team_id: user.team },
      team: { id, domain },
      api_app_id: state.app.id,
      token: state.app.verificationToken,
      enterprise: null,
      is_enterprise_install: false,
      trigger_id: state.addTrigger(user.id, team, interactionLimits.triggerLifeMs),
    };
  };
  const send = async (kind: 'interactive' | 'command', payload: Args): Promise<Interaction> => {
    const delivery = await deliveries.start(String(payload['trigger_id']), kind, payload).first;
    return { acknowledged: delivery.state === 'acknowledged', response: delivery.response, delivery, errors: {} };
  };
  const action = ({ element, blockId }: FoundElement, choice: string | undefined): Args => ({
    ...inputValues(element, choice),
    action_id: element['action_id'],
    block_id: blockId,
    ...(isRecord(element['text']) ? { text: element['text'] } : {}),
    action_ts: state.nextTs(),
  });
  const topModal = (user: User): View => {
    const view = state.views.get(state.modals.get(user.id)?.at(-1) ?? '');
    if (!view) throw new Error(`${user.name} has no open modal.`);
    return view;
  };
  const pressInView = (user: User, view: View, actionId: string, choice: string | undefined): Promise<Interaction> => {
    const blocks = view.content['blocks'] as Block[];
    return send('interactive', {
      type: 'block_actions',
      ...base(user, view.team),
      container: { type: 'view', view_id: view.id },
      view: apiView(state, view, workspaceOf(view.team), stateOf(blocks, {})),
      actions: [action(findElement(blocks, actionId), choice)],
    });
  };
  const applyViewResponse = (user: User, view: View, response: Args | undefined): Record<string, string> => {
    const stack = state.modals.get(user.id) ?? [];
    const content = response?.['view'];
    switch (response?.['response_action']) {
      case 'errors':
        return isRecord(response['errors']) ? (response['errors'] as Record<string, string>) : {};
      case 'update':
        if (isRecord(content)) replaceView(state, view, content);
        return {};
      case 'push':
        if (isRecord(content)) openModal(state, { user: user.id, team: view.team }, content, true);
        return {};
      case 'clear':
        state.modals.delete(user.id);
        return {};
      default:
        state.modals.set(user.id, stack.slice(0, -1));
        return {};
    }
  };

  return {
    /** Presses a button or picks an option in a message. `choice` is the value picked, or `positive`/`negative`. */
    press(userRef: Ref, ref: MessageRef, actionId: string, choice?: string): Promise<Interaction> {
      const user = people.findUser(userRef);
      const message = people.findMessage(ref);
      const channel = state.channels.get(ref.channel);
      if (!channel?.members.has(user.id)) throw new Error(`${user.name} does not see message ${ref.ts}.`);
      if (message.ephemeralTo !== undefined && message.ephemeralTo !== user.id)
        throw new Error(`Only ${message.ephemeralTo} sees message ${ref.ts}.`);
      const isEphemeral = message.ephemeralTo !== undefined;
      return send('interactive', {
        type: 'block_actions',
        ...base(user, message.team),
        container: {
          type: 'message',
          message_ts: message.ts,
          channel_id: message.channel,
          is_ephemeral: isEphemeral,
          ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
        },
        channel: { id: channel.id, name: channel.kind === 'im' ? 'directmessage' : channel.name },
        ...(isEphemeral ? {} : { message: apiMessage(state, message, url()) }),
        state: { values: stateOf(message.blocks, {}) },
        response_url: responseUrl(message, user),
        actions: [action(findElement(message.blocks, actionId), choice)],
      });
    },
    pressInModal: (userRef: Ref, actionId: string, choice?: string): Promise<Interaction> => {
      const user = people.findUser(userRef);
      return pressInView(user, topModal(user), actionId, choice);
    },
    pressInHome(userRef: Ref, actionId: string, choice?: string): Promise<Interaction> {
      const user = people.findUser(userRef);
      const view = state.views.get(state.homes.get(user.id) ?? '');
      if (!view) throw new Error(`${user.name} has no home tab.`);
      return pressInView(user, view, actionId, choice);
    },
    /** Fills in the topmost modal, by action id, and submits it. */
    async submit(userRef: Ref, values: Record<string, string | string[]> = {}): Promise<Interaction> {
      const user = people.findUser(userRef);
      const view = topModal(user);
      const done = await send('interactive', {
        type: 'view_submission',
        ...base(user, view.team),
        view: apiView(state, view, workspaceOf(view.team), stateOf(view.content['blocks'] as Block[], values, true)),
        response_urls: [],
      });
      return done.acknowledged ? { ...done, errors: applyViewResponse(user, view, done.response) } : done;
    },
    /** Closes the topmost modal. The app hears of it where the view asks for that. */
    async close(userRef: Ref): Promise<void> {
      const user = people.findUser(userRef);
      const view = topModal(user);
      const stack = state.modals.get(user.id) ?? [];
      state.modals.set(user.id, view.content['clear_on_close'] === true ? [] : stack.slice(0, -1));
      if (view.content['notify_on_close'] !== true) return;
      const { trigger_id: _, ...rest } = base(user, view.team);
      const payload = {
        type: 'view_closed',
        ...rest,
        view: apiView(state, view, workspaceOf(view.team)),
        is_cleared: false,
      };
      await deliveries.start(state.nextId('closed'), 'interactive', payload).first;
    },
    /** A shortcut in the menu of a message. */
    messageShortcut(userRef: Ref, ref: MessageRef, callbackId: string): Promise<Interaction> {
      const user = people.findUser(userRef);
      const message = people.findMessage(ref);
      const channel = state.channels.get(ref.channel);
      if (!channel?.members.has(user.id)) throw new Error(`${user.name} does not see message ${ref.ts}.`);
      return send('interactive', {
        type: 'message_action',
        ...base(user, message.team),
        callback_id: callbackId,
        action_ts: state.nextTs(),
        message_ts: message.ts,
        channel: { id: channel.id, name: String(apiChannel(channel, '')['name'] ?? 'directmessage') },
        message: apiMessage(state, message, url()),
        response_url: responseUrl(message, user),
      });
    },
    /** A slash command. Slack has none in threads. */
    async command(userRef: Ref, channelRef: Ref, command: string, argument = ''): Promise<Interaction> {
      const user = people.findUser(userRef);
      const channel = state.channels.get(idOf(channelRef));
      if (!channel?.members.has(user.id)) throw new Error(`${user.name} is not in channel ${idOf(channelRef)}.`);
      const { team } = channel;
      const target = { team, channel: channel.id, threadTs: undefined };
      const done = await send('command', {
        token: state.app.verificationToken,
        team_id: team,
        team_domain: workspaceOf(team).domain,
        channel_id: channel.id,
        channel_name: channel.kind === 'im' ? 'directmessage' : channel.name,
        user_id: user.id,
        user_name: user.name,
        command,
        text: argument,
        api_app_id: state.app.id,
        is_enterprise_install: 'false',
        response_url: responseUrl(target, user),
        trigger_id: state.addTrigger(user.id, team, interactionLimits.triggerLifeMs),
      });
      if (done.acknowledged) respondToCommand(state, channel, user.id, done.response);
      return done;
    },
  };
}
