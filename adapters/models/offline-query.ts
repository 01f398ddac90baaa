import type { Message } from '../../contract/ports/index.ts';
import { contentStems, stemsIn } from '../../contract/rules/terms.ts';

/** A message with more content words than this is never a follow-up, even if it begins like one. */
const maxFollowUpStems = 3;
/** How many earlier messages a follow-up's query may include. */
const maxEarlierMessages = 3;
/** Longest text of the earlier messages, in characters: a search uses the first 64 words of its query only. */
const maxEarlierCharacters = 500;
/** Longest query that the search accepts, in characters. */
const maxQueryLength = 2_000;

/** Openings of an English follow-up question: “And …”, “What about …”, “For managers?”. */
const followUpOpening =
  /^(\s*(and|or|but|so|also|then|what about|how about|what if|ok(ay)?|(for|in|on|at|with|without|from|to|by|during|before|after)(?! (which|what|how|whom|whose)\b))\b[\s,:.…–-]*)+/i;
/** Words that refer to an earlier message. Not matched: “Is it allowed to …”, “is there a …”, “this year”. */
const backReference =
  /(?<!\bis )\bit\b|\bis it\b(?! \w+ (to|that|for)\b)|\b(its|they|them|their|theirs|those|these|ones|he|she|him|her|his|that)\b|\bthis\b(?! (year|quarter|month|week|morning|company)\b)|(?<!\b(is|are|was|were) )\bthere\b(?! (is|are|was|were)\b)/i;
/** Words that carry meaning in an independent question but none in a follow-up. */
const fillers = /\b(also|else|instead|same|still|again|apply|applies)\b/gi;

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
 * Builds a search query from the last user message without a model. An independent message is the query itself. A
 * follow-up that says little by itself (“And for managers?”) gets the earlier questions in front of it, back to the
 * last independent one.
 */
export function offlineQuery(messages: Message[]): OfflineQuery {
  const userMessages = messages.flatMap((message) => (message.role === 'user' && !message.because ? [message] : []));
  const last = userMessages.pop();
  const text = last?.text ?? '';
  const wholeText = text.slice(0, maxQueryLength).toWellFormed();
  const independent = { query: wholeText, isFollowUp: false, quoteQuery: wholeText, matchesPassage: () => true };
  if (last?.tool || !isFollowUp(text)) return independent;
  const earlierTexts: string[] = [];
  for (const earlier of userMessages.reverse()) {
    if (earlierTexts.length === maxEarlierMessages) break;
    earlierTexts.unshift(earlier.text);
    if (!isFollowUp(earlier.text)) break;
  }
  if (earlierTexts.length === 0) return independent;
  const earlier = oneLine(earlierTexts.join(' ')).slice(0, maxEarlierCharacters);
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

/** Few words alone do not make a follow-up: “Who wrote Hamlet?” has two and is independent. */
function isFollowUp(text: string): boolean {
  const { size } = followUpStemsOf(text);
  if (size > maxFollowUpStems) return false;
  return followUpOpening.test(text) || backReference.test(text) || (size === 0 && !/\byou(rs?)?\b/i.test(text));
}

const withoutFollowUpWords = (text: string) => text.replace(followUpOpening, '').replace(fillers, '');
const followUpStemsOf = (text: string) => contentStems(withoutFollowUpWords(text));

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
