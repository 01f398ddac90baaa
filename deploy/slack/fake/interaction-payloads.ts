import { isRecord } from '../../../contract/json.ts';
import type { Deliveries, Delivery } from './deliveries.ts';
import { type FoundElement, inputValues } from './form-values.ts';
import { interactionLimits } from './limits.ts';
import type { State } from './state.ts';
import type { Args, Channel, Message, User, Workspace } from './types.ts';

/** What became of a person's press, form or command. */
export type Interaction = {
  /** False: Slack shows the person that the app did not answer in time. */
  acknowledged: boolean;
  response: Args | undefined;
  delivery: Delivery;
  /** Messages beside the fields of a form, by the block's id. */
  errors: Record<string, string>;
};

export type Payloads = ReturnType<typeof createPayloads>;

/** The parts that interactions have in common. */
export function createPayloads({
  state,
  deliveries,
  url,
}: {
  state: State;
  deliveries: Deliveries;
  url: () => string;
}) {
  const workspaceOf = (team: string): Workspace => {
    const workspace = state.workspaces.get(team);
    if (!workspace) throw new Error(`The app is not installed in ${team}.`);
    return workspace;
  };
  return {
    workspaceOf,
    triggerId: (user: User, team: string): string => state.addTrigger(user.id, team, interactionLimits.triggerLifeMs),
    base: (user: User, team: string): Args => {
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
    },
    channel: ({ id, kind, name }: Channel): Args => ({ id, name: kind === 'im' ? 'directmessage' : name }),
    /** An address where the app can answer the person: five times within thirty minutes. */
    responseUrl: (user: User, channel: Channel, message?: Message): string => {
      const id = state.nextId('R');
      state.responseUrls.set(id, {
        team: channel.team,
        channel: channel.id,
        user: user.id,
        ts: message?.ts,
        threadTs: message?.threadTs,
        expiresAt: state.clock.now() + interactionLimits.responseUrlLifeMs,
        uses: 0,
      });
      return `${url()}/response/${id}`;
    },
    action: ({ element, blockId }: FoundElement, choice: string | undefined): Args => ({
      ...inputValues(element, choice),
      action_id: element['action_id'],
      block_id: blockId,
      ...(isRecord(element['text']) ? { text: element['text'] } : {}),
      action_ts: state.nextTs(),
    }),
    send: async (kind: 'interactive' | 'command', payload: Args): Promise<Interaction> => {
      const delivery = await deliveries.start(String(payload['trigger_id']), kind, payload).first;
      return { acknowledged: delivery.state === 'acknowledged', response: delivery.response, delivery, errors: {} };
    },
  };
}
