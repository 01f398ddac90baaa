import { isRecord } from '../../../contract/json.ts';
import type { Args, Block } from './types.ts';

export type FoundElement = { element: Block; blockId: string };

const records = (value: unknown): Block[] => (Array.isArray(value) ? value.filter(isRecord) : []);

const elementsIn = (block: Block): Block[] => [
  ...records(block['elements']),
  ...records([block['accessory'], block['element']]),
  ...records(block['actions']),
  ...records(block['child_blocks']).flatMap(elementsIn),
];

/** An element of blocks that a person can use. @throws Error when there is none with this action id */
export function findElement(blocks: Block[], actionId: string): FoundElement {
  for (const block of blocks)
    for (const element of elementsIn(block))
      if (element['action_id'] === actionId) return { element, blockId: String(block['block_id']) };
  const known = blocks.flatMap(elementsIn).flatMap(({ action_id: id }) => (typeof id === 'string' ? [id] : []));
  throw new Error(`The blocks have no element "${actionId}". They have: ${known.join(', ') || 'none'}`);
}

const optionsOf = (element: Block): Block[] => [
  ...records(element['options']),
  ...records(element['option_groups']).flatMap((group) => records(group['options'])),
];

function findOption(element: Block, value: string): Block {
  const option = optionsOf(element).find((other) => other['value'] === value);
  if (!option) throw new Error(`The element "${String(element['action_id'])}" has no option "${value}".`);
  return option;
}

/** What Slack sends of an element after a person used it. */
export function inputValues(element: Block, choice: string | string[] | undefined): Args {
  const type = String(element['type']);
  const one = Array.isArray(choice) ? choice[0] : choice;
  const several = choice === undefined ? [] : [choice].flat();
  switch (type) {
    case 'button':
    case 'icon_button':
      return { type, ...(element['value'] === undefined ? {} : { value: element['value'] }) };
    case 'feedback_buttons': {
      const button = element[`${one ?? 'positive'}_button`];
      return { type, value: isRecord(button) ? button['value'] : one };
    }
    case 'static_select':
    case 'radio_buttons':
    case 'overflow':
      return {
        type,
        selected_option: one === undefined ? (element['initial_option'] ?? null) : findOption(element, one),
      };
    case 'checkboxes':
    case 'multi_static_select':
      return {
        type,
        selected_options:
          choice === undefined
            ? (element['initial_options'] ?? [])
            : several.map((value) => findOption(element, value)),
      };
    case 'users_select':
      return { type, selected_user: one ?? element['initial_user'] ?? null };
    case 'conversations_select':
      return { type, selected_conversation: one ?? element['initial_conversation'] ?? null };
    case 'channels_select':
      return { type, selected_channel: one ?? element['initial_channel'] ?? null };
    case 'datepicker':
      return { type, selected_date: one ?? element['initial_date'] ?? null };
    default:
      return { type, value: one ?? element['initial_value'] ?? null };
  }
}

const isEmpty = (value: Args): boolean =>
  Object.entries(value).every(
    ([name, part]) => name === 'type' || part === null || (Array.isArray(part) && part.length === 0),
  );

function checkInput(block: Block, element: Block, value: Args): void {
  const name = String(element['action_id']);
  if (block['optional'] !== true && isEmpty(value)) throw new Error(`Slack asks the person to fill in "${name}".`);
  const text = value['value'];
  if (typeof text !== 'string') return;
  if (typeof element['max_length'] === 'number' && text.length > element['max_length'])
    throw new Error(`"${name}" is too long.`);
  if (typeof element['min_length'] === 'number' && text.length < element['min_length'])
    throw new Error(`"${name}" is too short.`);
}

/**
 * The values of a form, by block id and action id.
 *
 * @throws Error when `complete` and Slack's window would not let the person submit it
 */
export function stateOf(blocks: Block[], values: Record<string, string | string[]>, complete = false): Block {
  const unknown = Object.keys(values).filter(
    (name) => !blocks.flatMap(elementsIn).some((element) => element['action_id'] === name),
  );
  if (unknown.length > 0) throw new Error(`The form has no "${unknown.join('", "')}".`);
  const result: Record<string, Record<string, Args>> = {};
  for (const block of blocks)
    for (const element of elementsIn(block)) {
      const id = element['action_id'];
      const isInput =
        block['type'] === 'input' ||
        !['button', 'overflow', 'feedback_buttons', 'icon_button'].includes(String(element['type']));
      if (typeof id !== 'string' || !isInput) continue;
      const value = inputValues(element, values[id]);
      if (complete && block['type'] === 'input') checkInput(block, element, value);
      result[String(block['block_id'])] = { ...result[String(block['block_id'])], [id]: value };
    }
  return result;
}
