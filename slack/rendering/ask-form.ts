import type { types } from '@slack/bolt';
import { askAboutFields, askAboutFormId } from './actions.ts';
import { preformatted } from './approval-blocks.ts';
import { characterEnd, oneLine } from './cut.ts';
import { escapeMrkdwn } from './mrkdwn.ts';

/** Characters of the message that the form shows. */
const maxShown = 2_900;
const maxQuestion = 3_000;
const maxExcerpt = 150;

export const usualQuestion = 'Explain this.';

const plain = (text: string) => ({ type: 'plain_text' as const, text });

/**
 * The form in which a person asks about a message.
 *
 * @param privateMetadata comes back with what the person submits
 */
export const askAboutForm = (message: string, privateMetadata: string): types.ModalView => ({
  type: 'modal',
  callback_id: askAboutFormId,
  private_metadata: privateMetadata,
  title: plain('Ask Alfred'),
  submit: plain('Ask'),
  close: plain('Cancel'),
  blocks: [
    preformatted(message.length <= maxShown ? message : `${message.slice(0, characterEnd(message, 0, maxShown))}…`),
    {
      type: 'input',
      block_id: askAboutFields.question,
      label: plain('Your question about this message'),
      hint: plain('All who are here read the question, and the answer in the thread of the message.'),
      element: {
        type: 'plain_text_input',
        action_id: askAboutFields.question,
        multiline: true,
        max_length: maxQuestion,
        initial_value: usualQuestion,
      },
    },
  ],
});

/** What a posted question is about, as mrkdwn. */
export const aboutLine = (message: string): string => `about: “${escapeMrkdwn(oneLine(message, maxExcerpt))}”`;
