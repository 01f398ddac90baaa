import { withoutLookAlikes } from './look-alikes.ts';

/**
 * Characters nobody sees: they break words for a search, and hide text from the people who approve it. Unicode calls
 * them Default_Ignorable_Code_Point (zero-width and direction marks, soft hyphens, variation selectors, tags); the marks
 * of interlinear annotation are as invisible. The two joiners have a rule of their own.
 */
const invisible = /(?![\u200c\u200d])[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/**
 * Between letters of these scripts a joiner is spelling (UAX #31, section 2.3), between pictures it makes them one.
 * Anywhere else it is as invisible as the rest.
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
 * One letter in another dress, mostly from PDFs: ligatures, Kangxi radicals, Arabic forms by place, full and half width,
 * mathematical alphabets. They become the letter (NFKC). The rest of NFKC would change what a reader sees: 10² is not 102.
 */
const dressedLetters =
  /[\u2f00-\u2fdf\ufb00-\ufb06\ufb13-\ufb17\ufb50-\ufdcf\ufdf0-\ufdfb\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f\u{1d400}-\u{1d7ff}]{1,64}/gu;

/**
 * The form in which text is stored, searched and quoted: what the file says, as well-formed Unicode in NFC, with `\n` as
 * the only line end and U+0020 as the only space, nothing invisible, no space at line ends, at most one empty line, and
 * no word that passes for another (look-alikes.ts). Normalising twice changes nothing.
 */
export const normalise = (text: string) =>
  withoutLookAlikes(
    text
      .toWellFormed()
      .replace(/\r\n?|[\u000b\u000c\u0085\u2028\u2029]/g, '\n')
      .replace(invisible, '')
      .replace(control, '')
      .replace(needlessJoiner, '')
      .replace(dressedLetters, (letters) => letters.normalize('NFKC'))
      .normalize('NFC'),
  )
    .replace(/\p{Space_Separator}/gu, ' ')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+/, '')
    .trimEnd();

/** One line of prose: every run of white space is one space. */
export const singleLine = (text: string) => text.replace(/\s+/g, ' ').trim();
