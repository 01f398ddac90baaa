import { isRecord } from '../../../contract/json.ts';
import { blockLimits as limits } from './limits.ts';
import type { Block } from './types.ts';

/** Collects what is wrong with blocks, in the form of Slack's `response_metadata.messages`. */
export type Report = (pointer: string, problem: string) => void;

export function checkLength(value: unknown, max: number, pointer: string, report: Report): void {
  if (typeof value !== 'string') report(pointer, 'must be a string');
  else if (value.length > max) report(pointer, `must be less than ${max + 1} characters`);
}

export function checkOptional(value: unknown, max: number, pointer: string, report: Report): void {
  if (value !== undefined) checkLength(value, max, pointer, report);
}

/** A text object. `types` says which of Slack's two kinds may stand here. */
export function checkText(
  value: unknown,
  { max, types = ['plain_text', 'mrkdwn'] }: { max: number; types?: string[] },
  pointer: string,
  report: Report,
): void {
  if (!isRecord(value)) return report(pointer, 'missing required field: text');
  if (!types.includes(String(value['type']))) report(`${pointer}/type`, `must be one of: ${types.join(', ')}`);
  if (value['text'] === '') report(`${pointer}/text`, 'must be more than 0 characters');
  else checkLength(value['text'], max, `${pointer}/text`, report);
}

const plain = (max: number) => ({ max, types: ['plain_text'] });

/** @returns the list; an empty one when the value is none or has the wrong length */
export function checkList(
  value: unknown,
  { min = 1, max }: { min?: number; max: number },
  pointer: string,
  report: Report,
): Block[] {
  if (!Array.isArray(value)) {
    report(pointer, 'must be an array');
    return [];
  }
  if (value.length < min) report(pointer, `no fewer than ${min} items allowed`);
  if (value.length > max) report(pointer, `no more than ${max} items allowed`);
  return value.map((item) => (isRecord(item) ? item : {}));
}

function checkConfirm(value: unknown, pointer: string, report: Report): void {
  if (value === undefined) return;
  if (!isRecord(value)) return report(pointer, 'must be an object');
  if (value['title'] !== undefined) checkText(value['title'], plain(limits.confirmTitle), `${pointer}/title`, report);
  checkText(value['text'], { max: limits.confirmText }, `${pointer}/text`, report);
  for (const name of ['confirm', 'deny'])
    if (value[name] !== undefined) checkText(value[name], plain(limits.confirmButton), `${pointer}/${name}`, report);
}

function checkButton(element: Block, pointer: string, report: Report): void {
  checkText(element['text'], plain(limits.buttonText), `${pointer}/text`, report);
  checkOptional(element['value'], limits.buttonValue, `${pointer}/value`, report);
  checkOptional(element['url'], limits.url, `${pointer}/url`, report);
  checkOptional(element['accessibility_label'], limits.buttonText, `${pointer}/accessibility_label`, report);
  const { style } = element;
  if (style !== undefined && style !== 'primary' && style !== 'danger')
    report(`${pointer}/style`, 'must be one of: primary, danger');
}

function checkFeedback(element: Block, pointer: string, report: Report): void {
  for (const name of ['positive_button', 'negative_button']) {
    const button = element[name];
    if (!isRecord(button)) report(pointer, `missing required field: ${name}`);
    else {
      if (button['value'] === undefined) report(`${pointer}/${name}`, 'missing required field: value');
      checkButton(button, `${pointer}/${name}`, report);
    }
  }
}

function checkOption(option: Block, pointer: string, report: Report): void {
  checkText(option['text'], { max: limits.optionText }, `${pointer}/text`, report);
  checkLength(option['value'], limits.optionValue, `${pointer}/value`, report);
  if (option['description'] !== undefined)
    checkText(option['description'], { max: limits.optionText }, `${pointer}/description`, report);
}

function checkOptions(element: Block, max: number, pointer: string, report: Report): void {
  const groups = element['option_groups'];
  if (groups === undefined) {
    const options = checkList(element['options'], { max }, `${pointer}/options`, report);
    options.forEach((option, index) => checkOption(option, `${pointer}/options/${index}`, report));
    return;
  }
  checkList(groups, { max }, `${pointer}/option_groups`, report).forEach((group, index) => {
    const at = `${pointer}/option_groups/${index}`;
    checkText(group['label'], plain(limits.optionText), `${at}/label`, report);
    checkList(group['options'], { max }, `${at}/options`, report).forEach((option, number) =>
      checkOption(option, `${at}/options/${number}`, report),
    );
  });
}

const checks: Record<string, (element: Block, pointer: string, report: Report) => void> = {
  button: checkButton,
  feedback_buttons: checkFeedback,
  icon_button(element, pointer, report) {
    checkText(element['text'], plain(limits.text), `${pointer}/text`, report);
    if (element['icon'] !== 'trash') report(`${pointer}/icon`, 'must be one of: trash');
    checkOptional(element['value'], limits.buttonValue, `${pointer}/value`, report);
  },
  static_select: (element, pointer, report) => checkOptions(element, limits.options, pointer, report),
  multi_static_select: (element, pointer, report) => checkOptions(element, limits.options, pointer, report),
  overflow: (element, pointer, report) => checkOptions(element, limits.overflowOptions, pointer, report),
  checkboxes: (element, pointer, report) => checkOptions(element, limits.choices, pointer, report),
  radio_buttons: (element, pointer, report) => checkOptions(element, limits.choices, pointer, report),
  image(element, pointer, report) {
    checkLength(element['alt_text'], limits.altText, `${pointer}/alt_text`, report);
    if (element['image_url'] === undefined && element['slack_file'] === undefined)
      report(pointer, 'missing required field: image_url');
    checkOptional(element['image_url'], limits.url, `${pointer}/image_url`, report);
  },
  plain_text_input(element, pointer, report) {
    for (const name of ['min_length', 'max_length']) {
      const value = element[name];
      if (typeof value === 'number' && value > limits.text)
        report(`${pointer}/${name}`, `must be less than ${limits.text + 1}`);
    }
    checkOptional(element['initial_value'], limits.text, `${pointer}/initial_value`, report);
  },
  plain_text: (element, pointer, report) => checkText(element, { max: limits.text }, pointer, report),
  mrkdwn: (element, pointer, report) => checkText(element, { max: limits.text }, pointer, report),
};

const others = [
  'datepicker', 'timepicker', 'datetimepicker', 'email_text_input', 'url_text_input', 'number_input', 'rich_text_input',
  'file_input', 'users_select', 'conversations_select', 'channels_select', 'external_select', 'multi_users_select',
  'multi_conversations_select', 'multi_channels_select', 'multi_external_select', 'workflow_button',
]; // prettier-ignore

const buttons = ['button', 'overflow', 'workflow_button'];
const texts = ['image', 'plain_text', 'mrkdwn'];
const feedback = ['feedback_buttons', 'icon_button'];
const choices = [...Object.keys(checks), ...others].filter(
  (type) => ![...buttons, ...texts, ...feedback].includes(type),
);
const inputsOnly = ['plain_text_input', 'email_text_input', 'url_text_input', 'number_input', 'file_input'];

/** Which elements may stand in which block: https://docs.slack.dev/reference/block-kit/block-elements */
export const elementsOf = {
  actions: [...buttons, ...choices.filter((type) => !inputsOnly.includes(type))],
  context: texts,
  context_actions: feedback,
  section: ['image', ...buttons, ...choices.filter((type) => !inputsOnly.includes(type))],
  input: choices,
};

/** Checks an element of a block against the limits of Block Kit. */
export function checkElement(element: unknown, allowed: string[], pointer: string, report: Report): void {
  if (!isRecord(element)) return report(pointer, 'must be an object');
  const type = String(element['type']);
  if (!allowed.includes(type)) return report(`${pointer}/type`, `unsupported type: ${type}`);
  checkOptional(element['action_id'], limits.id, `${pointer}/action_id`, report);
  if (element['placeholder'] !== undefined)
    checkText(element['placeholder'], plain(limits.placeholder), `${pointer}/placeholder`, report);
  checkConfirm(element['confirm'], `${pointer}/confirm`, report);
  checks[type]?.(element, pointer, report);
}
