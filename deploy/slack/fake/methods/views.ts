import { randomBytes } from 'node:crypto';
import { isRecord } from '../../../../contract/json.ts';
import { record, required, text } from '../args.ts';
import { problemsOfBlocks } from '../blocks.ts';
import { viewLimits } from '../limits.ts';
import { type State, type Trigger, withBlockIds } from '../state.ts';
import { type Args, type Block, SlackError, type View, type Workspace } from '../types.ts';
import type { Method } from './method.ts';

const invalid = (messages: string[]) => new SlackError('invalid_arguments', { response_metadata: { messages } });

function checkButton(view: Block, name: string, required: boolean): string[] {
  const value = view[name];
  if (value === undefined) return required ? [`[ERROR] missing required field: ${name} [json-pointer:/view]`] : [];
  if (!isRecord(value) || value['type'] !== 'plain_text')
    return [`[ERROR] must be plain_text [json-pointer:/view/${name}]`];
  const long = String(value['text']).length > viewLimits.button;
  return long
    ? [`[ERROR] must be less than ${viewLimits.button + 1} characters [json-pointer:/view/${name}/text]`]
    : [];
}

const lengthOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0);

/** @throws SlackError with what is wrong with the view */
function requireView(content: Block, type: View['type']): void {
  if (Buffer.byteLength(JSON.stringify(content)) > viewLimits.bytes) throw new SlackError('view_too_large');
  const blocks = Array.isArray(content['blocks']) ? (content['blocks'] as Block[]) : undefined;
  if (content['type'] !== type) throw invalid([`[ERROR] must be one of: ${type} [json-pointer:/view/type]`]);
  if (!blocks) throw invalid(['[ERROR] missing required field: blocks [json-pointer:/view]']);
  const problems = problemsOfBlocks(blocks, type, '/view/blocks');
  if (lengthOf(content['private_metadata']) > viewLimits.privateMetadata)
    problems.push('[ERROR] must be less than 3001 characters [json-pointer:/view/private_metadata]');
  if (lengthOf(content['callback_id']) > viewLimits.callbackId)
    problems.push('[ERROR] must be less than 256 characters [json-pointer:/view/callback_id]');
  if (type === 'modal') {
    const hasInput = blocks.some((block) => block['type'] === 'input');
    problems.push(
      ...checkButton(content, 'title', true),
      ...checkButton(content, 'submit', hasInput),
      ...checkButton(content, 'close', false),
    );
  }
  if (problems.length > 0) throw invalid(problems);
}

export const blocksOf = ({ content }: View): Block[] => content['blocks'] as Block[];

const newHash = () => `${Math.floor(Date.now() / 1_000)}.${randomBytes(4).toString('hex')}`;

/** A view as the Web API and interactions show it. */
export function apiView(state: State, view: View, workspace: Workspace, values?: Block): Args {
  return {
    callback_id: '',
    private_metadata: '',
    close: null,
    submit: null,
    notify_on_close: false,
    clear_on_close: false,
    external_id: '',
    ...view.content,
    id: view.id,
    team_id: view.team,
    app_id: state.app.id,
    app_installed_team_id: view.team,
    bot_id: workspace.botId,
    hash: view.hash,
    root_view_id: view.rootId,
    previous_view_id: view.previousId ?? null,
    state: { values: values ?? {} },
  };
}

function createView(
  state: State,
  { user, team }: { user: string; team: string },
  content: Block,
  previous?: View,
): View {
  const type = content['type'] === 'home' ? 'home' : 'modal';
  requireView(content, type);
  const id = state.nextId('V');
  const blocks = withBlockIds(content['blocks'] as Block[]);
  const view: View = {
    id,
    team,
    user,
    type,
    content: { ...content, blocks },
    hash: newHash(),
    rootId: previous?.rootId ?? id,
    previousId: previous?.id,
  };
  state.views.set(id, view);
  return view;
}

export function openModal(state: State, who: { user: string; team: string }, content: Block, push: boolean): View {
  const stack = push ? (state.modals.get(who.user) ?? []) : [];
  if (stack.length >= viewLimits.stack) throw new SlackError('push_limit_reached');
  const view = createView(state, who, content, state.views.get(stack.at(-1) ?? ''));
  state.modals.set(who.user, [...stack, view.id]);
  return view;
}

export function replaceView(view: View, content: Block): void {
  requireView(content, view.type);
  view.content = { ...content, blocks: withBlockIds(content['blocks'] as Block[]) };
  view.hash = newHash();
}

/** @throws SlackError `invalid_trigger_id`, `exchanged_trigger_id`, `expired_trigger_id` */
function exchangeTrigger(state: State, id: string): Trigger {
  const trigger = state.triggers.get(id);
  if (!trigger) throw new SlackError('invalid_trigger_id');
  if (trigger.used) throw new SlackError('exchanged_trigger_id');
  if (state.clock.now() > trigger.expiresAt) throw new SlackError('expired_trigger_id');
  trigger.used = true;
  return trigger;
}

const viewOf = (args: Args): Block => {
  const view = record(args, 'view', 'invalid_arguments');
  if (!view) throw invalid(['[ERROR] missing required field: view']);
  return view;
};

const open =
  (push: boolean): Method['run'] =>
  (args, { state, workspace }) => {
    const content = viewOf(args);
    requireView(content, 'modal');
    const trigger = exchangeTrigger(state, required(args, 'trigger_id', 'invalid_trigger_id'));
    return { view: apiView(state, openModal(state, trigger, content, push), workspace) };
  };

const update: Method = {
  run(args, { state, workspace }) {
    const view = state.views.get(text(args, 'view_id') ?? '');
    if (!view) throw new SlackError('not_found');
    const hash = text(args, 'hash');
    if (hash !== undefined && hash !== view.hash) throw new SlackError('hash_conflict');
    replaceView(view, viewOf(args));
    return { view: apiView(state, view, workspace) };
  },
};

const publish: Method = {
  run(args, { state, workspace }) {
    const user = state.users.get(required(args, 'user_id', 'user_not_found'));
    if (!user) throw new SlackError('user_not_found');
    const content = viewOf(args);
    const home = state.views.get(state.homes.get(user.id) ?? '');
    const hash = text(args, 'hash');
    if (home && hash !== undefined && hash !== home.hash) throw new SlackError('hash_conflict');
    requireView(content, 'home');
    if (home) replaceView(home, content);
    const view = home ?? createView(state, { user: user.id, team: workspace.id }, content);
    state.homes.set(user.id, view.id);
    return { view: apiView(state, view, workspace) };
  },
};

export const viewMethods: Record<string, Method> = {
  'views.open': { run: open(false) },
  'views.push': { run: open(true) },
  'views.update': update,
  'views.publish': publish,
};
