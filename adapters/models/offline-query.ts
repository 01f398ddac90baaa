import type { UserMessage } from '../../contract/messages.ts';
import type { Message } from '../../contract/ports/index.ts';
import { withoutAttachedFiles } from '../../contract/rules/attached-files.ts';
import { questionIn } from '../../contract/rules/question.ts';
import { contentStems, stemsIn } from '../../contract/rules/terms.ts';
import { readThreadAbove } from '../../contract/rules/thread-above.ts';
import { addressesReader, aspects, fillers, followUpBeginning, followUpEnd, refersBack } from './follow-up-words.ts';

/** A message with more content words than this is never a follow-up, even if it begins like one. */
const maxFollowUpStems = 3;
/** In a script without spaces about so many of the pairs of characters that count as words are one word. */
const pairsOfWord = 3;
/** How many earlier messages a follow-up's query may include. */
const maxEarlierMessages = 3;
/** Longest text of the earlier messages, in characters: of a longer query a search uses the last questions only. */
const maxEarlierCharacters = 400;
/** Longest query that the search accepts, in characters. */
const maxQueryLength = 2_000;

/** What the offline provider searches for. */
export type OfflineQuery = {
  query: string;
  /** Whether `query` includes earlier questions. */
  isFollowUp: boolean;
  /** What a quotation is selected by: the content words of a follow-up if it has any, else `query`. */
  quoteQuery: string;
  /** Whether a passage is about what the message itself names, and not only about the earlier questions. */
  matchesPassage: (passage: { title: string; headingPath: string[]; text: string }) => boolean;
};

/**
 * Builds a search query from the last user message without a model. An independent message is the query itself; of a
 * long one, the question in it. A follow-up that says little by itself (“And for managers?”) gets the earlier
 * questions in front of it, back to the last independent one.
 */
export function offlineQuery(messages: Message[]): OfflineQuery {
  const userMessages = messages.flatMap((message) =>
    message.role === 'user' && !message.because ? messagesIn(message) : [],
  );
  const last = userMessages.pop();
  const text = last?.text ?? '';
  const wholeText = bothEnds(questionIn(text), maxQueryLength);
  const independent = { query: wholeText, isFollowUp: false, quoteQuery: wholeText, matchesPassage: () => true };
  if (last?.tool || !isFollowUp(text)) return independent;
  const earlierTexts: string[] = [];
  for (const earlier of userMessages.reverse()) {
    if (earlierTexts.length === maxEarlierMessages) break;
    earlierTexts.unshift(questionIn(earlier.text));
    if (!isFollowUp(earlier.text)) break;
  }
  if (earlierTexts.length === 0) return independent;
  const earlier = bothEnds(oneLine(earlierTexts.join(' ')), maxEarlierCharacters);
  const query = `${earlier} ${oneLine(text)}`.slice(0, maxQueryLength).toWellFormed();
  const followUpStems = followUpStemsOf(text);
  return {
    query,
    isFollowUp: true,
    quoteQuery: followUpStems.size > 0 ? withoutFollowUpWords(wholeText) : query,
    matchesPassage: (passage) => {
      const stems = stemsIn([passage.title, ...passage.headingPath, passage.text].join('\n'));
      return [...followUpStems].filter((stem) => stems.has(stem)).length >= followUpStems.size / 2;
    },
  };
}

/** A question after those that stand above it in its thread, which it may refer to. */
function messagesIn(message: UserMessage): UserMessage[] {
  const { words, above } = readThreadAbove(message.text);
  return [
    ...above.map((text): UserMessage => ({ role: 'user', text })),
    { ...message, text: withoutAttachedFiles(words) },
  ];
}

/** Few words alone do not make a follow-up: “Who wrote Hamlet?” has two and is independent. */
function isFollowUp(text: string): boolean {
  const stems = [...followUpStemsOf(text)];
  const pairs = stems.filter((stem) => unspaced.test(stem)).length;
  const size = stems.length - pairs + Math.ceil(pairs / pairsOfWord);
  if (size > maxFollowUpStems) return false;
  if (followUpBeginning.test(text) || followUpEnd.test(text) || refersBack(text)) return true;
  return size === 0 && !addressesReader.test(text);
}

const unspaced = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}ー]/u;

const withoutFollowUpWords = (text: string) => text.replace(followUpBeginning, '').replace(fillers, '');
const followUpStemsOf = (text: string) => contentStems(withoutFollowUpWords(text).replace(aspects, ''));

/** Of a text that is too long, its beginning and its end: there stands what its writer wants. */
const bothEnds = (text: string, length: number): string => {
  const half = Math.floor((length - 1) / 2);
  return (text.length > length ? `${text.slice(0, length - half - 1)} ${text.slice(-half)}` : text).toWellFormed();
};

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
