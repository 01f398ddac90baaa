import { isRecord } from '../../../contract/json.ts';
import type { Deliveries } from './deliveries.ts';
import { findElement, stateOf } from './form-values.ts';
import type { Interaction, Payloads } from './interaction-payloads.ts';
import type { Lookup, Ref } from './lookup.ts';
import { apiView, blocksOf, openModal, replaceView } from './methods/views.ts';
import type { State } from './state.ts';
import type { Args, User, View } from './types.ts';

const errorsOf = (value: unknown): Record<string, string> =>
  isRecord(value) ? Object.fromEntries(Object.entries(value).map(([block, message]) => [block, String(message)])) : {};

/** Modals and the home tab, as people use them. */
export function createViewInteractions({
  state,
  deliveries,
  payloads,
  lookup,
}: {
  state: State;
  deliveries: Deliveries;
  payloads: Payloads;
  lookup: Lookup;
}) {
  const stackOf = (user: User): string[] => state.modals.get(user.id) ?? [];

  const topModal = (user: User): View => {
    const view = state.views.get(stackOf(user).at(-1) ?? '');
    if (!view) throw new Error(`${user.name} has no open modal.`);
    return view;
  };

  const press = (user: User, view: View, actionId: string, choice: string | undefined): Promise<Interaction> =>
    payloads.send('interactive', {
      type: 'block_actions',
      ...payloads.base(user, view.team),
      container: { type: 'view', view_id: view.id },
      view: apiView(state, view, payloads.workspaceOf(view.team), stateOf(blocksOf(view), {})),
      actions: [payloads.action(findElement(blocksOf(view), actionId), choice)],
    });

  /** What the app asks for with its acknowledgement: https://docs.slack.dev/surfaces/modals#handling_submissions */
  const applyResponse = (user: User, view: View, response: Args | undefined): Record<string, string> => {
    const content = response?.['view'];
    switch (response?.['response_action']) {
      case 'errors':
        return errorsOf(response['errors']);
      case 'update':
        if (isRecord(content)) replaceView(view, content);
        return {};
      case 'push':
        if (isRecord(content)) openModal(state, { user: user.id, team: view.team }, content, true);
        return {};
      case 'clear':
        state.modals.delete(user.id);
        return {};
      default:
        state.modals.set(user.id, stackOf(user).slice(0, -1));
        return {};
    }
  };

  return {
    pressInModal: (userRef: Ref, actionId: string, choice?: string): Promise<Interaction> => {
      const user = lookup.user(userRef);
      return press(user, topModal(user), actionId, choice);
    },
    pressInHome: (userRef: Ref, actionId: string, choice?: string): Promise<Interaction> => {
      const user = lookup.user(userRef);
      const view = state.views.get(state.homes.get(user.id) ?? '');
      if (!view) throw new Error(`${user.name} has no home tab.`);
      return press(user, view, actionId, choice);
    },
    /** Fills in the topmost modal, by action id, and submits it. */
    submit: async (userRef: Ref, values: Record<string, string | string[]> = {}): Promise<Interaction> => {
      const user = lookup.user(userRef);
      const view = topModal(user);
      const done = await payloads.send('interactive', {
        type: 'view_submission',
        ...payloads.base(user, view.team),
        view: apiView(state, view, payloads.workspaceOf(view.team), stateOf(blocksOf(view), values, true)),
        response_urls: [],
      });
      return done.acknowledged ? { ...done, errors: applyResponse(user, view, done.response) } : done;
    },
    /** Closes the topmost modal. The app hears of it where the view asks for that. */
    close: async (userRef: Ref): Promise<void> => {
      const user = lookup.user(userRef);
      const view = topModal(user);
      state.modals.set(user.id, view.content['clear_on_close'] === true ? [] : stackOf(user).slice(0, -1));
      if (view.content['notify_on_close'] !== true) return;
      const { trigger_id: _, ...base } = payloads.base(user, view.team);
      const shown = apiView(state, view, payloads.workspaceOf(view.team));
      const payload = { type: 'view_closed', ...base, view: shown, is_cleared: false };
      await deliveries.start(state.nextId('closed'), 'interactive', payload).first;
    },
  };
}
