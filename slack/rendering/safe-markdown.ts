import { joiner, withoutMentions } from './mentions.ts';

/** `[1]: policies/expenses.md` at the beginning of a line. Markdown takes it for the address of `[1]`, and hides it. */
const definition = /^ {0,3}\[\d{1,4}\](?=:)/gm;

/** Markdown of a model as Slack may get it: it notifies no person, and its list of sources stays visible. */
export const safeMarkdown = (text: string): string => withoutMentions(text).replace(definition, `$&${joiner}`);
