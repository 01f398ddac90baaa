import type { SeenMessage } from '../../../deploy/slack/fake/seen.ts';

/** What a person reads when a message waits, which is no answer. */
export const waitsNotice = 'Your message is kept';

/** The answers among the messages of a thread. */
export const answersAmong = (messages: SeenMessage[]): SeenMessage[] =>
  messages.filter(({ fromApp, text }) => fromApp && !text.includes(waitsNotice));
