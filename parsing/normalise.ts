import { replaceConfusables } from './confusables.ts';

/**
 * Invisible characters. They split words, so that a search does not find them, and they hide text from the people who
 * approve it. Unicode calls them Default_Ignorable_Code_Point (zero-width and direction marks, soft hyphens, variation
 * selectors, tags). The marks of interlinear annotation are invisible too. The two joiners are handled below.
 */
const invisible = /(?![\u200c\u200d])[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/**
 * Between letters of these scripts a joiner is part of the spelling (UAX #31, section 2.3).
 * Between emoji it combines them. Everywhere else it is just invisible and is removed.
 */
const joinedScripts =
  '\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Mongolian}\\p{Script=Devanagari}\\p{Script=Bengali}' +
  '\\p{Script=Gurmukhi}\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}' +
  '\\p{Script=Kannada}\\p{Script=Malayalam}\\p{Script=Sinhala}\\p{Script=Khmer}';
const needlessJoiner = new RegExp(
  `(?<![${joinedScripts}])[\\u200c\\u200d](?<!\\p{Extended_Pictographic}\\p{Emoji_Modifier}?\\u200d)` +
    `|[\\u200c\\u200d](?![${joinedScripts}])(?!(?<=\\u200d)\\p{Extended_Pictographic})`,
  'gu',
);

const control = /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]/g;

/**
 * Variants of letters, mostly from PDFs: ligatures, Kangxi radicals, Arabic presentation forms,
 * full and half width forms, mathematical alphabets. Only these are replaced by the plain letter
 * (NFKC). For other characters NFKC would change the meaning: 10² would become 102.
 */
const letterVariants =
  /[\u2f00-\u2fdf\ufb00-\ufb06\ufb13-\ufb17\ufb50-\ufdcf\ufdf0-\ufdfb\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f\u{1d400}-\u{1d7ff}]{1,64}/gu;

/**
 * The form in which text is stored, searched and quoted: well-formed Unicode in NFC, with `\n` as the only
 * line break and U+0020 as the only space, without invisible characters, without spaces at line ends, with
 * at most one empty line in a row, and with confusable words replaced (confusables.ts). Idempotent.
 */
export const normalise = (text: string) =>
  replaceConfusables(
    text
      .toWellFormed()
      .replace(/\r\n?|[\u000b\u000c\u0085\u2028\u2029]/g, '\n')
      .replace(invisible, '')
      .replace(control, '')
      .replace(needlessJoiner, '')
      .replace(letterVariants, (letters) => letters.normalize('NFKC'))
      .normalize('NFC'),
  )
    .replace(/\p{Space_Separator}/gu, ' ')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+/, '')
    .trimEnd();

/** Joins a text into one line: each run of white space becomes one space. */
export const singleLine = (text: string) => text.replace(/\s+/g, ' ').trim();
