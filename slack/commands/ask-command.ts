import { MessageText } from '../../contract/conversation.ts';
import type { AskAloud } from '../asking/ask-aloud.ts';
import { plainTextOf } from '../asking/plain-text.ts';
import { fieldsIn } from '../asking/read-asked.ts';
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
    const { data: written } = MessageText.safeParse(plainTextOf(rest, ''));
    if (written === undefined) return tooLong;
    const { agent, text } = readAgent(written);
    return aloud.ask({ key, team, channel, userId, shown: written, text, agent }, attempts);
  };

/** `order-desk {"order": "A-1001"}` names the agent before the fields that it takes. */
function readAgent(written: string): { agent?: string | undefined; text: string } {
  const [, agent, text = ''] = /^([a-z][a-z0-9-]*)\s+(\{.*\})$/s.exec(written) ?? [];
  return agent !== undefined && fieldsIn(text) ? { agent, text } : { text: written };
}
