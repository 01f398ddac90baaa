import { stopwords as arabic } from '@orama/stopwords/arabic';
import { stopwords as bulgarian } from '@orama/stopwords/bulgarian';
import { stopwords as danish } from '@orama/stopwords/danish';
import { stopwords as dutch } from '@orama/stopwords/dutch';
import { stopwords as finnish } from '@orama/stopwords/finnish';
import { stopwords as french } from '@orama/stopwords/french';
import { stopwords as german } from '@orama/stopwords/german';
import { stopwords as greek } from '@orama/stopwords/greek';
import { stopwords as hungarian } from '@orama/stopwords/hungarian';
import { stopwords as italian } from '@orama/stopwords/italian';
import { stopwords as norwegian } from '@orama/stopwords/norwegian';
import { stopwords as portuguese } from '@orama/stopwords/portuguese';
import { stopwords as romanian } from '@orama/stopwords/romanian';
import { stopwords as russian } from '@orama/stopwords/russian';
import { stopwords as spanish } from '@orama/stopwords/spanish';
import { stopwords as swedish } from '@orama/stopwords/swedish';
import { stopwords as turkish } from '@orama/stopwords/turkish';
import { stopwords as ukrainian } from '@orama/stopwords/ukrainian';
import { withoutAccents, type Language } from './stems.ts';

/** Words that form an English question but do not name its subject; Alfred's own list. */
const english = `a about am an and any are as at be been being but by can could did do does doing for from had has have
  having he her his how i if in into is it its itself just many may me might more most much must my no nor of on or our
  ours out over own please shall she should so some such tell than that the their theirs them then there these they this
  those to too us very was we were what when where which while who whom whose why will with would you your yours`;

/** @param missing what the list lacks, above all words that form a question; `subjects`: words on it that name one */
const setOf = (list: string[], missing = '', subjects = '') => {
  const words = new Set([...list, ...missing.split(/\s+/)].map((word) => withoutAccents(word.toLowerCase())));
  for (const subject of ['', ...subjects.split(/\s+/)]) words.delete(withoutAccents(subject));
  return words;
};

/** By language. English comes first: it wins when a query has as many words of another list. */
const stopWords: Map<string, Set<string>> = new Map([
  ['en', setOf(english.split(/\s+/))],
  [
    'de',
    setOf(
      german,
      'bekomme bekommen bitte gibt viel viele wann warum welche welchem welchen welcher welches wem wen wer weshalb wieso wieviel wieviele worüber',
    ),
  ],
  ['fr', setOf(french, 'combien comment doit dois faut où peut peux plus pourquoi puis quand quoi si')],
  [
    'es',
    setOf(
      spanish,
      'cuáles',
      'día días empleo empleos final horas lugar nuevo nueva parte tiempo total trabaja trabajan trabajar trabajo uso verdad',
    ),
  ],
  ['it', setOf(italian, 'devo e è o posso può quando questo')],
  ['nl', setOf(dutch, 'hoeveel krijg mag welk welke waar waarom wanneer')],
  [
    'pt',
    setOf(portuguese, 'devo onde pode posso quais quando quanta quantas quanto quantos por porque à há é são', ''),
  ],
  ['sv', setOf(swedish, 'finns får hur många mycket vilken')],
  ['no', setOf(norwegian, 'får hvordan mange mye')],
  ['da', setOf(danish, 'får hvor hvordan hvornår mange meget må')],
  ['fi', setOf(finnish, 'kuinka milloin moni monta paljon saako voiko')],
  ['ru', setOf(russian, 'какие какие-то какой сколько', 'жизнь человек')],
  ['uk', setOf(ukrainian, 'скільки')],
  ['bg', setOf(bulgarian, 'колко')],
  ['el', setOf(greek, 'πόσα πόσες πόσο πόσοι πότε')],
  ['ar', setOf(arabic, 'كم', 'الف ايام زيارة سنة سنوات شخصا صباح عام عاما قوة وقت')],
  ['hu', setOf(hungarian, 'hány mennyi')],
  ['ro', setOf(romanian, 'câte câți cât')],
  ['tr', setOf(turkish, 'kaç', 'yüz')],
]);

/**
 * The stop words of the language that a query is most likely in: the one with the most stop words in it. A query is too
 * short for a detector of languages, and its stop words are what it has most of.
 *
 * @param queryWords in lower case
 * @returns no words and no language when the query has none of any
 */
export function stopWordsOf(queryWords: string[]): { language: Language; words: Set<string> } {
  const plain = queryWords.map(withoutAccents);
  let best: { count: number; language: Language; words: Set<string> } = { count: 0, language: null, words: new Set() };
  for (const [language, words] of stopWords) {
    const count = plain.filter((word) => words.has(word)).length;
    if (count > best.count) best = { count, language, words };
  }
  return best;
}
