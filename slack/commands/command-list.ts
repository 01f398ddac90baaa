import { editDistance } from '../../contract/rules/edit-distance.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import { code, linesMessage } from './lines-message.ts';

/** The slash command. The app manifest has it. */
export const slashCommand = '/alfred';

/** What may stand behind it, with what follows, and what it does. */
export const commandList = {
  ask: { usage: 'ask <question>', does: 'ask here, so that all who are here read question and answer' },
  agents: { usage: 'agents', does: 'the agents that you may use' },
  tasks: { usage: 'tasks', does: 'your newest tasks' },
  status: { usage: 'status <id>', does: 'how a task stands' },
  cancel: { usage: 'cancel <id>', does: 'stop a task' },
  approvals: { usage: 'approvals', does: 'what waits for your decision' },
  budget: { usage: 'budget', does: 'what was spent today and this month' },
  documents: { usage: 'documents <words>', does: 'search what you may read; without words a list of it' },
  contacts: {
    usage: 'contacts [<words>|add <contacts>]',
    does: 'find contacts, or bring some, one a line; without words your uploads',
  },
  health: { usage: 'health', does: 'whether all that Alfred needs answers' },
  channel: {
    usage: 'channel [on|off|agent <name>|instructions <text>|who @person …|reset]',
    does: 'how I am set up in this channel; operators change it',
  },
  link: { usage: 'link', does: 'link your Slack user with your sign-in, to use what you may read there' },
  unlink: { usage: 'unlink', does: 'end that link; none is made again until you write `link`' },
  help: { usage: 'help', does: 'this list' },
} as const;

export type CommandName = keyof typeof commandList;

export const isCommandName = (word: string): word is CommandName => Object.hasOwn(commandList, word);

/** So many mistakes in a word may be typing errors. */
const mostMistakes = 2;
/** A word that begins with so many letters of a command may mean it. */
const begins = 3;

/** @returns the command that a person may have meant */
export function nearestCommand(word: string): CommandName | undefined {
  const names = Object.keys(commandList) as CommandName[];
  const [nearest] = names
    .map((name) => ({ name, mistakes: editDistance(word, name, mostMistakes) }))
    .filter(({ mistakes }) => mistakes <= mostMistakes)
    .sort((a, b) => a.mistakes - b.mistakes);
  return nearest?.name ?? names.find((name) => word.length >= begins && name.startsWith(word.slice(0, begins)));
}

/**
 * @param word what was written in place of a command
 * @param link how the person is linked, as mrkdwn
 */
export function helpMessage(word = '', link?: string): SlackMessage {
  const lines = Object.values(commandList).map(({ usage, does }) => `${code(`${slashCommand} ${usage}`)} ${does}`);
  return linesMessage(headingOf(word), lines, [
    'Or write to me: in a direct message, or with my name in a channel. Only `ask` is seen by others.',
    ...(link === undefined ? [] : [link]),
  ]);
}

function headingOf(word: string): string {
  if (word === '') return '*What you can write*';
  const nearest = nearestCommand(word);
  const hint = nearest === undefined ? '' : ` Did you mean ${code(`${slashCommand} ${commandList[nearest].usage}`)}?`;
  return `I do not know ${code(word.slice(0, 50))}.${hint}`;
}
