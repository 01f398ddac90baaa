/**
 * What a token of a query is.
 *
 * - `code`: names one thing (`PPR-9087`), so it is searched whole. When none holds it, no passage answers.
 * - `possible code`: may be one (a telephone number, `budget2024`, a part of an address). When no passage holds it,
 *   that says nothing.
 * - `number`: a quantity (a range, a date, a time, `5/user`, `top-10`), searched whole and by its parts.
 * - `words`: only its parts count.
 */
export type TokenKind = 'code' | 'possible code' | 'number' | 'words';

export function kindOfToken(text: string, parts: string[]): TokenKind {
  if (/[+#]/.test(text) || text.startsWith('.')) return 'code';
  if (!/\p{N}/u.test(text)) return 'words';
  if (parts.length === 1) return kindOfPart(text);
  if (parts.every((part) => /^\p{N}+$/u.test(part))) return kindOfNumbers(text, parts);
  // `30-day` also stands there as “30 days”.
  if (/^\p{N}{1,3}(-\p{L}{3,})+$/u.test(text)) return 'words';
  return isQuantity(text) || parts.every(isOrdinary) ? 'number' : 'code';
}

/** `5pm`, `30min`, `3rd`. */
const numberWithUnit = /^\p{N}+\p{L}{1,3}$/u;
/** `14h30`, `2d4h`, `1920x1080`. */
const duration = /^(\d+[dhms]){1,4}\d{0,2}$/i;
const dimensions = /^\d+x\d+$/i;
const amountOfMoney = /^(usd|eur|gbp|chf|jpy|cny|inr)\d+[km]?$/i;
/** `Q3`, `FY2024`, `W05`. */
const period = /^(q[1-4]|h[12]|(fy|cy)(\d{2}|\d{4})|w\d{2})$/i;
const year = /^(19|20)\d{2}$/;

/** Letters and digits without a sign between them. */
function kindOfPart(text: string): TokenKind {
  if (!/\p{L}/u.test(text)) return 'words';
  if (numberWithUnit.test(text) || duration.test(text) || dimensions.test(text) || amountOfMoney.test(text))
    return 'words';
  // `90days`, `top10`, `budget2024`: a word and a number.
  const isWordWithNumber = /^\p{N}{1,4}\p{L}{4,}$/u.test(text) || isWordThenNumber(text);
  return period.test(text) || isWordWithNumber ? 'possible code' : 'code';
}

function isWordThenNumber(text: string): boolean {
  const [, word = '', number = ''] = /^(\p{L}[\p{L}\p{M}]{2,})(\p{N}+)$/u.exec(text) ?? [];
  return isUsualWord(word) && isSmall(number);
}

/** Codes are mostly written in capitals; scripts without capitals have words only. */
const isUsualWord = (part: string) =>
  /^\p{L}[\p{L}\p{M}]{2,}$/u.test(part) && (part !== part.toUpperCase() || part === part.toLowerCase());
const isSmall = (number: string) => /^\p{N}{1,3}$/u.test(number) || year.test(number);

/** Parts that make no code of a token in which all are such: `top-10`, `per-5kg-bag`, `9am-5pm`, `2024-Q1`. */
const isOrdinary = (part: string): boolean =>
  isUsualWord(part) || isSmall(part) || numberWithUnit.test(part) || duration.test(part) || period.test(part);

const months =
  'jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz?|apr(?:il)?|ma[iy]|june?|juni|july?|juli|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?';
const dateWithMonth = new RegExp(`^(\\d{1,2}[-./])?(${months})[-./]\\d{2,4}$|^\\d{4}-(${months})(-\\d{1,2})?$`, 'i');
const timestamp = /^\d{4}-\d{2}-\d{2}t\d{2}([:.]?\d{2}){0,2}([.:]\d+)?z?$/i;
/** `5/user`, `12.50/hour`, `50km/h`, `1000/month`. */
const rate = /^\p{N}+(\.\p{N}+)?\p{L}{0,3}\/(\p{Ll}+|[KMGT]B)$/u;
/** `1-on-1`, `5-to-10`. */
const numbersWithWord = /^\p{N}{1,3}-\p{Ll}{2}-\p{N}{1,3}$/u;
/** `9-5pm`, `9:30am-5pm`, `5-10k`, `2.5GB`. */
const amountWithUnit = /^\d+([.:]\d+)?\p{L}{0,3}(-\d+([.:]\d+)?\p{L}{1,3})?$/u;

const isQuantity = (text: string): boolean =>
  [dateWithMonth, timestamp, rate, numbersWithWord, amountWithUnit].some((form) => form.test(text)) ||
  (text.includes('/') && text.split('/').every((end) => timestamp.test(end)));

const date = '\\d{1,2}[-./]\\d{1,2}[-./](?:\\d{4}|\\d{2})|\\d{4}[-./]\\d{1,2}[-./]\\d{1,2}';
const month = '\\d{1,2}[-./]\\d{4}|\\d{4}[-./]\\d{1,2}';
const time = '\\d{1,2}[:.]\\d{2}(?::\\d{2})?';
const amount = '\\d{1,4}|\\d+\\.\\d{1,2}';
const value = `(?:${date}|${month}|${time}|${amount})`;
const values = new RegExp(`^${value}(?:[-/:]${value})?$`);
const decimal = /^\d+\.\d+$/;
const grouped = /^\d{1,3}(\.\d{3})+$/;
const telephone = /^0\d*[-/.]\d+([-/.]\d+)*$|^\d{3}\.\d{3}\.\d{4}$/;
const versionOrNetworkAddress = /^\d+(\.\d+){2,}$/;

/** Digits with signs between them. */
function kindOfNumbers(text: string, parts: string[]): TokenKind {
  if (values.test(text) || decimal.test(text) || grouped.test(text) || isRange(text)) return 'number';
  if (telephone.test(text)) return 'possible code';
  // `13849-1` and `2.10.1`. Other groups of digits may be telephone numbers.
  return parts.length === 2 || versionOrNetworkAddress.test(text) ? 'code' : 'possible code';
}

/** `5000-10000`, `10001-20000`: round numbers. */
function isRange(text: string): boolean {
  const [, from = '', to = ''] = /^(\d+[01])-(\d+0)$/.exec(text) ?? [];
  return to !== '' && Number(from) < Number(to);
}
