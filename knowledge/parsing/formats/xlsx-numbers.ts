import { format, getFormatDateInfo, isDateFormat } from 'numfmt';

/** Days between the two ways in which workbooks count dates. */
const daysTo1904 = 1_462;

/**
 * A number as its cell shows it: 5%, 1,250.00 €, 007. A date is shown in ISO form instead of the sheet's own: `1/5/24` is
 * read differently from one country to the next.
 */
export function numberText(raw: string, code: string, countsFrom1904: boolean): string {
  const value = Number(raw);
  if (!Number.isFinite(value) || raw.trim() === '') return raw;
  // Excel keeps 15 digits and shows no more; the file has 0.30000000000000004.
  if (/^general$/i.test(code)) return String(Number(value.toPrecision(15)));
  try {
    if (!isDateFormat(code)) return format(code, value).trim();
    const day = value + (countsFrom1904 ? daysTo1904 : 0);
    const shows = getFormatDateInfo(code);
    if (!(shows.year && shows.month && shows.day)) return format(code, day).trim();
    return format(shows.hours ? 'yyyy-mm-dd hh:mm' : 'yyyy-mm-dd', day);
  } catch {
    // A format that Excel would not take either.
    return raw;
  }
}
