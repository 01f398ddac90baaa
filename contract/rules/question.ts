import { sentencesOf } from './quote.ts';
import { contentStems } from './terms.ts';

/** No question of a person is longer, in characters. */
const longestQuestion = 500;
/** A question with fewer content words (“Is this paid?”) is searched together with the sentence beside it. */
const fewStems = 3;
/** Sentences at either end of a text among which its question is looked for: greetings stand around it. */
const endSentences = 3;
/** Questions that are searched together at the most. */
const maxQuestions = 3;

/** A character of these scripts says about as much as three of an alphabet. */
const dense = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/gu;

/** A sentence with a question mark, or with the particle that takes its place in Japanese and Chinese. */
const asks = /(?:[?？؟\u037e]|՞\p{L}*[։:]?|(?:ですか|ますか|でしょうか|ませんか|吗|嗎|呢)[。．.!！]?)["'”’»」』)\]]*$/u;

/**
 * What a text asks: the text itself, unless it is longer than any question. Of a longer one (an email, a page that was
 * pasted) the questions at its end, else at its beginning, else anywhere; with the sentence beside it when that says
 * little by itself. A text without a question stays whole: what its writer wants to know may stand anywhere.
 */
export function questionIn(text: string): string {
  const length = text.length + 2 * (text.match(dense)?.length ?? 0);
  if (length <= longestQuestion) return text;
  const sentences = sentencesOf(text).map(({ start, end }) => text.slice(start, end));
  const place = questionPlace(sentences);
  if (!place) return text;
  const [first, last] = place;
  const question = sentences.slice(first, last + 1).join(' ');
  if (question.length > longestQuestion) return text;
  if (contentStems(question).size >= fewStems) return question;
  const beside = first > 0 ? sentences.slice(first - 1, last + 1) : sentences.slice(first, last + 2);
  const withSentenceBeside = beside.join(' ');
  return withSentenceBeside.length <= 2 * longestQuestion ? withSentenceBeside : question;
}

/** The first and the last of the sentences that ask; undefined when none does. */
function questionPlace(sentences: string[]): [first: number, last: number] | undefined {
  const questions = sentences.flatMap((sentence, i) => (asks.test(sentence) ? [i] : []));
  const atEnd = questions.filter((i) => i >= sentences.length - endSentences);
  const atBeginning = questions.filter((i) => i < endSentences);
  const candidates = [atEnd, atBeginning, questions].find((found) => found.length > 0) ?? [];
  const last = candidates.at(-1);
  if (last === undefined) return undefined;
  let first = last;
  while (candidates.includes(first - 1) && last - first + 1 < maxQuestions) first--;
  return [first, last];
}
