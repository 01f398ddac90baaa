import { MessageText } from '../../contract/conversation.ts';
import type { AskAloud } from '../asking/ask-aloud.ts';
import { plainTextOf } from '../asking/plain-text.ts';
import type { SlackCommand } from './command.ts';

const tooLong = 'I take questions of 20,000 characters. Send it in parts, or as a document.';
const empty = 'What is your question? Write it behind `/alfred ask`.';

/**
 * Asks in the place where the command was written.
 *
 * @returns what the person alone reads; undefined when the question is posted
 */
export const createAskCommand =
  (aloud: Pick<AskAloud, 'ask'>) =>
  async ({ key, team, channel, userId, rest }: SlackCommand, attempts: number): Promise<string | undefined> => {
    if (rest === '') return empty;
    const { data: text } = MessageText.safeParse(plainTextOf(rest, ''));
    if (text === undefined) return tooLong;
    return aloud.ask({ key, team, channel, userId, shown: text, text }, attempts);
  };
