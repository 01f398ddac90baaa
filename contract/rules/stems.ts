import { stemmer as arabic } from '@orama/stemmers/arabic';
import { stemmer as armenian } from '@orama/stemmers/armenian';
import { stemmer as bulgarian } from '@orama/stemmers/bulgarian';
import { stemmer as danish } from '@orama/stemmers/danish';
import { stemmer as dutch } from '@orama/stemmers/dutch';
import { stemmer as finnish } from '@orama/stemmers/finnish';
import { stemmer as french } from '@orama/stemmers/french';
import { stemmer as german } from '@orama/stemmers/german';
import { stemmer as greek } from '@orama/stemmers/greek';
import { stemmer as hungarian } from '@orama/stemmers/hungarian';
import { stemmer as irish } from '@orama/stemmers/irish';
import { stemmer as italian } from '@orama/stemmers/italian';
import { stemmer as lithuanian } from '@orama/stemmers/lithuanian';
import { stemmer as norwegian } from '@orama/stemmers/norwegian';
import { stemmer as portuguese } from '@orama/stemmers/portuguese';
import { stemmer as romanian } from '@orama/stemmers/romanian';
import { stemmer as russian } from '@orama/stemmers/russian';
import { stemmer as spanish } from '@orama/stemmers/spanish';
import { stemmer as swedish } from '@orama/stemmers/swedish';
import { stemmer as turkish } from '@orama/stemmers/turkish';
import { stemmer as ukrainian } from '@orama/stemmers/ukrainian';
import { stemmer as english } from 'stemmer';

/** A language of a document, as ISO 639-1 code; null when it is unknown. */
export type Language = string | null;

type Stem = (word: string) => string;
const asItIs: Stem = (word) => word;

/** “and” and the article stand in front of the word without a space. The stemmer takes off one of them. */
const arabicWithoutConjunction: Stem = (word) => arabic(word.replace(/^[وف](?=ال\p{L}{3})/u, ''));

/** The alphabets in which stemmed languages are written, and the language of a word when its document's is another. */
const alphabets: { letters: RegExp; usual: Stem; stemmers: Record<string, Stem> }[] = [
  {
    letters: /^\p{sc=Latin}/u,
    usual: english,
    stemmers: {
      da: danish,
      de: german,
      en: english,
      es: spanish,
      fi: finnish,
      fr: french,
      ga: irish,
      hu: hungarian,
      it: italian,
      lt: lithuanian,
      nl: dutch,
      no: norwegian,
      pt: portuguese,
      ro: romanian,
      sv: swedish,
      tr: turkish,
      ...unstemmed('az bs ca cs et eu hr is lv ms pl sk sl sq tl vi yo'),
    },
  },
  {
    letters: /^\p{sc=Cyrillic}/u,
    usual: russian,
    stemmers: { bg: bulgarian, ru: russian, uk: ukrainian, ...unstemmed('be mk sr') },
  },
  {
    letters: /^\p{sc=Arabic}/u,
    usual: arabicWithoutConjunction,
    stemmers: { ar: arabicWithoutConjunction, ...unstemmed('fa ku ur') },
  },
  { letters: /^\p{sc=Greek}/u, usual: greek, stemmers: { el: greek } },
  { letters: /^\p{sc=Armenian}/u, usual: armenian, stemmers: { hy: armenian } },
];

/** Languages of which no stemmer is at hand. */
function unstemmed(languages: string): Record<string, Stem> {
  return Object.fromEntries(languages.split(' ').map((language) => [language, asItIs]));
}

/** The first of the languages that are stemmed alike in every alphabet, for each language that has a stemmer. */
const representatives = findRepresentatives();

function findRepresentatives(): Map<Language, Language> {
  const found = new Map<Language, Language>();
  const firsts: { language: Language; stemmers: Stem[] }[] = [];
  for (const language of [null, ...alphabets.flatMap(({ stemmers }) => Object.keys(stemmers))]) {
    const stemmers = alphabets.map(({ stemmers, usual }) => (language !== null && stemmers[language]) || usual);
    const first = firsts.find((other) => other.stemmers.every((stem, i) => stem === stemmers[i]));
    if (!first) firsts.push({ language, stemmers });
    found.set(language, first ? first.language : language);
  }
  return found;
}

/** A language without a stemmer is stemmed like an unknown one. */
const representativeOf = (language: Language): Language => representatives.get(language) ?? null;

/** One language for each way in which words are stemmed. */
export const differentlyStemmed = (languages: Language[]): Language[] => [...new Set(languages.map(representativeOf))];

/** Stems are kept, since most words of a text are repeated: those of the last `maxKnown` words or more. */
const maxKnown = 50_000;
let known = new Map<string, string[]>();
let knownBefore = new Map<string, string[]>();

/**
 * The stems of a word in a document's language: by Snowball's algorithms, English by Porter's. A word of another
 * alphabet is stemmed in the usual language of that alphabet.
 *
 * A word with accents has two stems when it ends in another way without them: people leave them out.
 *
 * @param word as it is written
 */
export function stemsOf(word: string, language: Language): string[] {
  const likewise = representativeOf(language);
  const key = `${likewise ?? ''} ${word}`;
  const recent = known.get(key);
  if (recent) return recent;
  const stems = knownBefore.get(key) ?? findStems(word, likewise);
  if (known.size >= maxKnown) {
    knownBefore = known;
    known = new Map();
  }
  known.set(key, stems);
  return stems;
}

function findStems(word: string, language: Language): string[] {
  const lower = lowerCase(word, language);
  const plain = withoutAccents(lower);
  const alphabet = alphabets.find(({ letters }) => letters.test(plain));
  if (!alphabet || /\p{N}/u.test(plain)) return [plain];
  const stem = (language !== null && alphabet.stemmers[language]) || alphabet.usual;
  if (stem === english) return [plain.length > 2 ? english(plain) : plain];
  const forms = lower === plain ? [lower] : [lower, plain];
  return [...new Set(forms.map((form) => withoutAccents(stem(form))))].filter((found) => found !== '');
}

/** In Turkish, the small letter of I has no dot. */
const lowerCase = (word: string, language: Language) =>
  language === 'tr' ? word.toLocaleLowerCase('tr') : word.toLowerCase();

/** Accents of Latin and Greek letters. In other scripts such marks are part of the spelling. */
const accents = /(?<=[\p{sc=Latin}\p{sc=Greek}]\p{Mn}*)\p{Mn}/gu;

/** A word in lower case without accents. */
export const withoutAccents = (word: string): string =>
  ascii.test(word) ? word : word.normalize('NFD').replace(accents, '').replaceAll('ı', 'i').normalize('NFC');
const ascii = /^[\w-]*$/;
