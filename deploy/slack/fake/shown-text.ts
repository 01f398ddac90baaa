import { isRecord } from '../../../contract/json.ts';
import type { Block, Message } from './types.ts';

const records = (value: unknown): Block[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const str = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The text of a text object, or of a plain string where Slack takes both. */
const ofText = (value: unknown): string => (isRecord(value) ? str(value['text']) : str(value));

function ofRichText(element: Block): string {
  const children = records(element['elements']);
  switch (element['type']) {
    case 'rich_text':
      return children.map(ofRichText).join('\n');
    case 'rich_text_list':
      return children
        .map((child, index) => `${element['style'] === 'ordered' ? `${index + 1}.` : '•'} ${ofRichText(child)}`)
        .join('\n');
    case 'text':
      return str(element['text']);
    case 'link':
      return str(element['text']) || str(element['url']);
    case 'user':
      return `<@${str(element['user_id'])}>`;
    case 'channel':
      return `<#${str(element['channel_id'])}>`;
    case 'emoji':
      return `:${str(element['name'])}:`;
    default:
      return children.map(ofRichText).join('');
  }
}

const ofCell = (cell: Block): string => (cell['type'] === 'rich_text' ? ofRichText(cell) : str(cell['text']));

function ofElement(element: Block): string {
  if (element['type'] === 'image') return `[image: ${str(element['alt_text'])}]`;
  if (element['type'] === 'feedback_buttons')
    return `[${ofText(record(element['positive_button'])['text'])}] [${ofText(record(element['negative_button'])['text'])}]`;
  const label = ofText(element['text']) || ofText(element['placeholder']) || str(element['action_id']);
  return ['mrkdwn', 'plain_text'].includes(str(element['type'])) ? str(element['text']) : `[${label}]`;
}

const record = (value: unknown): Block => (isRecord(value) ? value : {});

const taskSigns: Record<string, string> = { pending: '○', in_progress: '◐', complete: '✓', error: '✗' };

function ofTask(task: Block): string {
  const sources = records(task['sources']).map((source) => `${str(source['text'])} (${str(source['url'])})`);
  const details = [task['details'], task['output']].map((value) => (isRecord(value) ? ofRichText(value) : str(value)));
  const lines = [...details, ...sources].filter((line) => line !== '');
  return [`${taskSigns[str(task['status'])] ?? '○'} ${str(task['title'])}`, ...lines.map((line) => `  ${line}`)].join(
    '\n',
  );
}

function ofBlock(block: Block): string {
  switch (block['type']) {
    case 'markdown':
      return str(block['text']);
    case 'section': {
      const accessory = isRecord(block['accessory']) ? ofElement(block['accessory']) : '';
      return [ofText(block['text']), ...records(block['fields']).map(ofText), accessory].filter(Boolean).join('\n');
    }
    case 'header':
    case 'alert':
      return ofText(block['text']);
    case 'divider':
      return '---';
    case 'image':
      return [ofText(block['title']), `[image: ${str(block['alt_text'])}]`].filter(Boolean).join('\n');
    case 'input':
      return `${ofText(block['label'])}: ${ofElement(record(block['element']))}`;
    case 'rich_text':
      return ofRichText(block);
    case 'table':
    case 'data_table':
      return (Array.isArray(block['rows']) ? block['rows'] : [])
        .map((row) => records(row).map(ofCell).join(' | '))
        .join('\n');
    case 'task_card':
      return ofTask(block);
    case 'plan':
      return [str(block['title']), ...records(block['tasks']).map(ofTask)].filter(Boolean).join('\n');
    case 'card':
      return [block['title'], block['subtitle'], block['body']].map(ofText).filter(Boolean).join('\n');
    case 'container':
      return [ofText(block['title']), ...records(block['child_blocks']).map(ofBlock)].filter(Boolean).join('\n');
    default:
      return records(block['elements'])
        .map((element) => (element['type'] === 'card' ? ofBlock(element) : ofElement(element)))
        .join(' ');
  }
}

/** The blocks as plain text: what a person reads, with buttons in brackets. */
export const textOfBlocks = (blocks: Block[]): string => blocks.map(ofBlock).join('\n');

/** Slack shows the blocks; the text is shown where there are none. */
export function shownText({ blocks, text, attachments }: Pick<Message, 'blocks' | 'text' | 'attachments'>): string {
  const own = blocks.length > 0 ? textOfBlocks(blocks) : text;
  const attached = attachments.map(
    (part) => textOfBlocks(records(part['blocks'])) || ofText(part['text']) || str(part['fallback']),
  );
  return [own, ...attached].filter((part) => part !== '').join('\n');
}
