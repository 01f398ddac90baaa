import { isRecord } from '../../contract/json.ts';

/** A slash command as a person wrote it, and where. */
export type SlackCommand = {
  /** The same for repeats. */
  key: string;
  team: string;
  channel: string;
  userId: string;
  /** The first word, in lower case; empty when there is none. */
  word: string;
  /** What stands behind it. */
  rest: string;
  /** Where Slack takes private answers for half an hour, five at most. */
  responseUrl: string | undefined;
};

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');

/** @returns undefined for what is no command of a person */
export function commandIn(body: unknown): SlackCommand | undefined {
  if (!isRecord(body)) return undefined;
  const [team, channel, userId] = [textIn(body.team_id), textIn(body.channel_id), textIn(body.user_id)];
  if (team === '' || channel === '' || userId === '') return undefined;
  const text = textIn(body.text).trim();
  const [word = ''] = text.split(/\s/, 1);
  return {
    key: textIn(body.trigger_id),
    team,
    channel,
    userId,
    word: word.toLowerCase(),
    rest: text.slice(word.length).trim(),
    responseUrl: textIn(body.response_url) || undefined,
  };
}
