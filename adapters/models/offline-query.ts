import type { Message } from '../../contract/ports/index.ts';
import { stemsIn, contentStems } from '../../contract/rules/terms.ts';

/** With more telling words than these a message stands by itself, whatever it begins with. */
const maxOwnStems = 3;
/** Messages before it that a follow-up is put behind at the most, and their characters: a search looks at 64 words. */
const maxBefore = 3;
const maxBeforeCharacters = 500;
/** What the search takes, in characters. */
const maxQuery = 2_000;

/** How English goes on with what was asked before: “And …”, “What about …”, “For managers?”. */
const continuationOpening =
  /^(\s*(and|or|but|so|also|then|what about|how about|what if|ok(ay)?|(for|in|on|at|with|without|from|to|by|during|before|after)(?! (which|what|how|whom|whose)\b))\b[\s,:.…–-]*)+/i;
/** Words that stand for others. “Is it allowed to …”, “is there a …” and “this year” point at nothing. */
const backReference =
  /(?<!\bis )\bit\b|\bis it\b(?! \w+ (to|that|for)\b)|\b(its|they|them|their|theirs|those|these|ones|he|she|him|her|his|that)\b|\bthis\b(?! (year|quarter|month|week|morning|company)\b)|(?<!\b(is|are|was|were) )\bthere\b(?! (is|are|was|were)\b)/i;
/** Words that tell in a question that stands by itself, and nothing in one that goes on. */
const fillers = /\b(also|else|instead|same|still|again|apply|applies)\b/gi;

/** What an offline search looks for. */
export type OfflineQuery = {
  query: string;
  /** It holds questions of before. */
  isFollowUp: boolean;
  /** What a quotation should speak of: of a follow-up its own words, where it has some that tell. */
  quoteQuery: string;
  /** Whether a passage speaks of what the message itself names, and not only of what was asked before. */
  matchesPassage: (passage: { title: string; headingPath: string[]; text: string }) => boolean;
};

/**
 * The query of the last thing a person said, by plain code: the words as they are, and for a follow-up that says little by
 * itself (“And for managers?”) the questions before it in front, back to one that stands by itself.
 */
export function offlineQuery(messages: Message[]): OfflineQuery {
  const said = messages.flatMap((message) => (message.role === 'user' && !message.because ? [message] : []));
  const last = said.pop();
  const text = last?.text ?? '';
  const whole = text.slice(0, maxQuery).toWellFormed();
  const alone = { query: whole, isFollowUp: false, wanted: whole, isSpokenOfIn: () => true };
  if (last?.tool || !isFollowUp(text)) return alone;
  const before: string[] = [];
  for (const earlier of said.reverse()) {
    if (before.length === maxBefore) break;
    before.unshift(earlier.text);
    if (!isFollowUp(earlier.text)) break;
  }
  if (before.length === 0) return alone;
  const both = `${oneLine(before.join(' ')).slice(0, maxBeforeCharacters)} ${oneLine(text)}`;
  const query = both.slice(0, maxQuery).toWellFormed();
  const own = ownStems(text);
  return {
    query,
    isFollowUp: true,
    quoteQuery: own.size > 0 ? ownWords(whole) : query,
    matchesPassage: (passage) => {
      const stems = stemsIn([passage.title, ...passage.headingPath, passage.text].join('\n'));
      return [...own].filter((stem) => stems.has(stem)).length >= own.size / 2;
    },
  };
}

/** Few words alone are no sign: “Who wrote Hamlet?” has two, and goes on with nothing. */
function isFollowUp(text: string): boolean {
  const { size } = ownStems(text);
  if (size > maxOwnStems) return false;
  return continuationOpening.test(text) || backReference.test(text) || (size === 0 && !/\byou(rs?)?\b/i.test(text));
}

const ownWords = (text: string) => text.replace(continuationOpening, '').replace(fillers, '');
const ownStems = (text: string) => contentStems(ownWords(text));

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
