import { isRecord } from '../../../contract/json.ts';
import {
  checkElement,
  checkLength,
  checkList,
  checkOptional,
  checkText,
  elementsOf,
  type Report,
} from './block-elements.ts';
import { blockLimits as limits, messageLimits, viewLimits } from './limits.ts';
import { type Block, SlackError } from './types.ts';

export type Surface = 'message' | 'modal' | 'home';

type Check = (block: Block, pointer: string, report: Report) => void;

const plain = (max: number) => ({ max, types: ['plain_text'] });

const elements =
  (allowed: string[], max: number): Check =>
  (block, pointer, report) => {
    const ids = new Set<unknown>();
    checkList(block['elements'], { max }, `${pointer}/elements`, report).forEach((element, index) => {
      const at = `${pointer}/elements/${index}`;
      const id = element['action_id'];
      if (id !== undefined && ids.has(id)) report(`${at}/action_id`, '`action_id` already exists');
      ids.add(id);
      checkElement(element, allowed, at, report);
    });
  };

const section: Check = (block, pointer, report) => {
  const { text, fields, accessory } = block;
  if (text === undefined && fields === undefined) report(pointer, 'missing required field: text');
  if (text !== undefined) checkText(text, { max: limits.text }, `${pointer}/text`, report);
  if (fields !== undefined)
    checkList(fields, { max: limits.fields }, `${pointer}/fields`, report).forEach((field, index) =>
      checkText(field, { max: limits.fieldText }, `${pointer}/fields/${index}`, report),
    );
  if (accessory !== undefined) checkElement(accessory, elementsOf.section, `${pointer}/accessory`, report);
};

const cellText = (cell: unknown): string =>
  isRecord(cell) ? (typeof cell['text'] === 'string' ? cell['text'] : JSON.stringify(cell['elements'] ?? '')) : '';

function checkTable(block: Block, rows: { min: number; max: number }, pointer: string, report: Report): void {
  const given = Array.isArray(block['rows']) ? block['rows'] : [];
  if (given.length < rows.min) report(`${pointer}/rows`, `no fewer than ${rows.min} items allowed`);
  if (given.length > rows.max) report(`${pointer}/rows`, `no more than ${rows.max} items allowed`);
  given.forEach((row, index) => {
    const at = `${pointer}/rows/${index}`;
    checkList(row, { max: limits.tableColumns }, at, report).forEach((cell, column) => {
      const type = String(cell['type']);
      if (!['raw_text', 'raw_number', 'rich_text'].includes(type))
        report(`${at}/${column}/type`, `unsupported type: ${type}`);
      if (type !== 'rich_text' && cell['text'] === '') report(`${at}/${column}/text`, 'must be more than 0 characters');
    });
  });
}

const taskStates = ['pending', 'in_progress', 'complete', 'error'];

const task: Check = (block, pointer, report) => {
  checkLength(block['task_id'], limits.id, `${pointer}/task_id`, report);
  checkLength(block['title'], limits.text, `${pointer}/title`, report);
  if (!taskStates.includes(String(block['status'])))
    report(`${pointer}/status`, `must be one of: ${taskStates.join(', ')}`);
  for (const name of ['details', 'output']) {
    const value = block[name];
    if (value !== undefined && !(isRecord(value) && value['type'] === 'rich_text'))
      report(`${pointer}/${name}`, 'must be rich_text');
  }
};

const card: Check = (block, pointer, report) => {
  const parts = ['hero_image', 'title', 'body', 'actions'];
  if (parts.every((name) => block[name] === undefined))
    report(pointer, `missing required field: ${parts.join(' or ')}`);
  for (const [name, max] of [
    ['title', limits.cardTitle],
    ['subtitle', limits.cardTitle],
    ['body', limits.cardText],
  ] as const)
    if (block[name] !== undefined) checkText(block[name], { max }, `${pointer}/${name}`, report);
  if (block['actions'] !== undefined)
    checkList(block['actions'], { max: limits.cardActions }, `${pointer}/actions`, report).forEach((element, index) =>
      checkElement(element, ['button'], `${pointer}/actions/${index}`, report),
    );
};

const checks: Record<string, Check> = {
  section,
  card,
  task_card: task,
  actions: elements(elementsOf.actions, limits.actions),
  context: elements(elementsOf.context, limits.context),
  context_actions: elements(elementsOf.context_actions, limits.contextActions),
  divider: () => undefined,
  header: (block, pointer, report) => checkText(block['text'], plain(limits.header), `${pointer}/text`, report),
  alert: (block, pointer, report) => checkText(block['text'], { max: limits.alertText }, `${pointer}/text`, report),
  image: (block, pointer, report) => checkElement({ ...block, action_id: undefined }, ['image'], pointer, report),
  markdown(block, pointer, report) {
    if (block['text'] === '') report(`${pointer}/text`, 'must be more than 0 characters');
    checkLength(block['text'], messageLimits.markdownText, `${pointer}/text`, report);
  },
  rich_text: (block, pointer, report) =>
    void checkList(block['elements'], { max: Infinity }, `${pointer}/elements`, report),
  table: (block, pointer, report) => checkTable(block, { min: 1, max: limits.tableRows }, pointer, report),
  data_table(block, pointer, report) {
    checkTable(block, { min: 2, max: limits.tableRows + 1 }, pointer, report);
    if (typeof block['caption'] !== 'string') report(pointer, 'missing required field: caption');
  },
  plan(block, pointer, report) {
    checkLength(block['title'], limits.text, `${pointer}/title`, report);
    if (block['tasks'] === undefined) return;
    const tasks = checkList(block['tasks'], { min: 0, max: Infinity }, `${pointer}/tasks`, report);
    tasks.forEach((item, index) => task(item, `${pointer}/tasks/${index}`, report));
  },
  input(block, pointer, report) {
    checkText(block['label'], plain(limits.label), `${pointer}/label`, report);
    if (block['hint'] !== undefined) checkText(block['hint'], plain(limits.label), `${pointer}/hint`, report);
    checkElement(block['element'], elementsOf.input, `${pointer}/element`, report);
  },
  carousel: (block, pointer, report) =>
    checkList(block['elements'], { max: limits.carousel }, `${pointer}/elements`, report).forEach((item, index) =>
      card(item, `${pointer}/elements/${index}`, report),
    ),
  container(block, pointer, report) {
    if (block['title'] !== undefined) checkText(block['title'], plain(limits.header), `${pointer}/title`, report);
    checkList(block['child_blocks'], { max: limits.container }, `${pointer}/child_blocks`, report).forEach(
      (child, index) => checkBlock(child, 'message', `${pointer}/child_blocks/${index}`, report),
    );
  },
  video: () => undefined,
};

const onMessagesOnly = [
  'markdown',
  'table',
  'data_table',
  'task_card',
  'plan',
  'context_actions',
  'card',
  'carousel',
  'container',
];

function checkBlock(block: unknown, surface: Surface, pointer: string, report: Report): void {
  if (!isRecord(block)) return report(pointer, 'must be an object');
  const type = String(block['type']);
  const check = checks[type];
  if (!check || (surface !== 'message' && onMessagesOnly.includes(type)))
    return report(`${pointer}/type`, `unsupported type: ${type}`);
  checkOptional(block['block_id'], limits.id, `${pointer}/block_id`, report);
  check(block, pointer, report);
}

/** @returns what is wrong with the blocks, in the form of Slack's `response_metadata.messages` */
export function problemsOfBlocks(blocks: Block[], surface: Surface, root = '/blocks'): string[] {
  const problems: string[] = [];
  const report: Report = (pointer, problem) => problems.push(`[ERROR] ${problem} [json-pointer:${pointer}]`);
  const max = surface === 'message' ? messageLimits.blocks : viewLimits.blocks;
  if (blocks.length > max) report(root, `no more than ${max} items allowed`);
  const ids = new Set<unknown>();
  blocks.forEach((block, index) => {
    const id = block['block_id'];
    if (id !== undefined && ids.has(id)) report(`${root}/${index}/block_id`, '`block_id` already exists');
    ids.add(id);
    checkBlock(block, surface, `${root}/${index}`, report);
  });
  return problems;
}

const sumOf = (blocks: Block[], types: string[], count: (block: Block) => number): number =>
  blocks.filter(({ type }) => types.includes(String(type))).reduce((sum, block) => sum + count(block), 0);

const tableCharacters = (block: Block): number =>
  (Array.isArray(block['rows']) ? block['rows'] : [])
    .flatMap((row: unknown): unknown[] => (Array.isArray(row) ? row : []))
    .reduce<number>((sum, cell) => sum + cellText(cell).length, 0);

/** @throws SlackError as the methods that post messages do */
export function requireMessageBlocks(blocks: Block[]): void {
  const problems = problemsOfBlocks(blocks, 'message');
  if (problems.length > 0) throw new SlackError('invalid_blocks', { response_metadata: { messages: problems } });
  const markdown = sumOf(blocks, ['markdown'], (block) => String(block['text']).length);
  if (markdown > messageLimits.markdownBlocks) throw new SlackError('msg_blocks_too_long');
  if (sumOf(blocks, ['table', 'data_table'], tableCharacters) > limits.tableCharacters)
    throw new SlackError('invalid_blocks', { response_metadata: { messages: ['[ERROR] table is too long'] } });
}
