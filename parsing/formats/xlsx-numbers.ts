import { format, getFormatDateInfo, isDateFormat } from 'numfmt';

/** Days between the two epochs from which workbooks count dates: 1900 and 1904. */
const daysTo1904 = 1_462;

/**
 * Formats a number as its cell shows it: 5%, 1,250.00 €, 007. Dates are an exception:
 * they get the ISO form, because `1/5/24` means different days in different countries.
 *
 * @param raw the number as it is stored
 * @param code the number format of the cell
 */
export function formatNumber(raw: string, code: string, countsFrom1904: boolean): string {
  const value = Number(raw);
  if (!Number.isFinite(value) || raw.trim() === '') return raw;
  // Excel shows 15 digits, but files contain numbers like 0.30000000000000004.
  if (/^general$/i.test(code)) return String(Number(value.toPrecision(15)));
  try {
    if (!isDateFormat(code)) return format(code, value).trim();
    const day = value + (countsFrom1904 ? daysTo1904 : 0);
    const parts = getFormatDateInfo(code);
    if (!(parts.year && parts.month && parts.day)) return format(code, day).trim();
    return format(parts.hours ? 'yyyy-mm-dd hh:mm' : 'yyyy-mm-dd', day);
  } catch {
    // Excel does not accept this format either.
    return raw;
  }
}
