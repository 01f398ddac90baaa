import { isRecord } from '../../../contract/json.ts';
import { textOfBlocks } from '../fake/shown-text.ts';
import type { Block } from '../fake/types.ts';
import { showMarkdown } from './markdown.ts';
import { showMrkdwn, type Names } from './mrkdwn.ts';
import { element, link, type Option, type Shown, type Use } from './shown.ts';

const records = (value: unknown): Block[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const record = (value: unknown): Block => (isRecord(value) ? value : {});
const str = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Blocks of a message, a modal or the home tab as the page shows them. */
export function createShowBlocks(names: Names) {
  /** A text object, or a plain string where Slack takes both. */
  const showText = (value: unknown): Shown[] =>
    isRecord(value) && value['type'] === 'mrkdwn' ? showMrkdwn(str(value['text']), names) : [plainText(value)];

  function showBlock(block: Block): Shown[] {
    switch (block['type']) {
      case 'markdown':
        return showMarkdown(str(block['text']));
      case 'section':
        return [
          ...(block['text'] === undefined ? [] : [element('p', showText(block['text']))]),
          ...records(block['fields']).map((field) => element('p', showText(field))),
          ...(isRecord(block['accessory']) ? showElement(block['accessory'], showText) : []),
        ];
      case 'header':
        return [element('h4', showText(block['text']), { kind: 'header' })];
      case 'divider':
        return [element('hr', [])];
      case 'context':
        return [
          element(
            'div',
            records(block['elements']).map((part) => element('p', showElement(part, showText))),
            { kind: 'context' },
          ),
        ];
      case 'actions':
      case 'context_actions':
        return [
          element(
            'div',
            records(block['elements']).flatMap((part) => showElement(part, showText)),
            { kind: 'actions' },
          ),
        ];
      case 'input':
        return [element('div', [element('p', showText(block['label'])), ...showField(record(block['element']))])];
      case 'table':
      case 'data_table':
        return [showTable(block)];
      case 'plan':
        return [element('div', [str(block['title']), ...records(block['tasks']).map(showTask)], { kind: 'steps' })];
      case 'task_card':
        return [element('div', [showTask(block)], { kind: 'steps' })];
      default:
        return [element('p', [textOfBlocks([block])])];
    }
  }
  return (blocks: Block[]): Shown[] => blocks.flatMap(showBlock);
}

const plainText = (value: unknown): string => (isRecord(value) ? str(value['text']) : str(value));

/** Steps and cells are shown as the fake writes them in words. */
const showTask = (task: Block): Shown => element('p', [textOfBlocks([{ ...task, type: 'task_card' }])]);

function showTable(block: Block): Shown {
  const rows = Array.isArray(block['rows']) ? block['rows'] : [];
  return element(
    'table',
    rows.map((row, index) =>
      element(
        'tr',
        records(row).map((cell) => element(index === 0 ? 'th' : 'td', [wordsOfCell(cell)])),
      ),
    ),
  );
}

const wordsOfCell = (cell: Block) => textOfBlocks([{ type: 'table', rows: [[cell]] }]);

/** What a person can press or pick, or reads, in a section, context or row of actions. */
function showElement(part: Block, showText: (value: unknown) => Shown[]): Shown[] {
  const actionId = str(part['action_id']);
  const words = plainText(part['text']) || plainText(part['placeholder']) || actionId;
  const question = [record(part['confirm'])['title'], record(part['confirm'])['text']].map(plainText).filter(Boolean);
  const use: Use = { actionId, ...(question.length > 0 ? { confirm: question.join('\n\n') } : {}) };
  switch (part['type']) {
    case 'mrkdwn':
    case 'plain_text':
      return showText(part);
    case 'image':
      return [`[image: ${str(part['alt_text'])}]`];
    case 'button': {
      if (str(part['url']) !== '') return [link(str(part['url']), [words])];
      const kind = part['style'] === 'primary' || part['style'] === 'danger' ? { kind: part['style'] } : {};
      return [element('button', [words], { use, ...(kind as { kind?: 'primary' | 'danger' }) })];
    }
    case 'feedback_buttons':
      return (['positive', 'negative'] as const).map((choice) =>
        element('button', [plainText(record(part[`${choice}_button`])['text'])], { use: { ...use, choice } }),
      );
    case 'static_select':
    case 'radio_buttons':
    case 'overflow': {
      const chosen = str(record(part['initial_option'])['value']);
      return [
        element('select', [words], { use: { ...use, options: optionsOf(part), ...(chosen ? { value: chosen } : {}) } }),
      ];
    }
    default:
      return [textOfBlocks([{ type: 'actions', elements: [part] }])];
  }
}

/** A field of a form. */
function showField(part: Block): Shown[] {
  const actionId = str(part['action_id']);
  const field = (use: Omit<Use, 'actionId'>) => [element('field', [], { use: { actionId, ...use } })];
  switch (part['type']) {
    case 'checkboxes':
    case 'multi_static_select':
      return field({
        input: 'several',
        options: optionsOf(part),
        value: records(part['initial_options']).map(({ value }) => str(value)),
      });
    case 'static_select':
    case 'radio_buttons':
      return field({
        input: 'one',
        options: optionsOf(part),
        value: str(record(part['initial_option'])['value']),
      });
    case 'datepicker':
      return field({ input: 'date', value: str(part['initial_date']) });
    default:
      return field({ input: part['multiline'] === true ? 'lines' : 'line', value: str(part['initial_value']) });
  }
}

const optionsOf = (part: Block): Option[] =>
  [...records(part['options']), ...records(part['option_groups']).flatMap((group) => records(group['options']))].map(
    (option) => ({ value: str(option['value']), label: plainText(option['text']) }),
  );
