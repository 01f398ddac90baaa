import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/**
 * A phone number as E.164, with its extension as RFC 3966 writes it: `+4930901820;ext=12`.
 *
 * @param country ISO 3166-1 alpha-2, for numbers without a country code; null: only those with one
 * @returns undefined for what is none in its country
 */
export function normalisePhone(text: string, country: string | null): string | undefined {
  const given = text.replace(/^tel:/i, '').trim();
  // Every country but North America dials 00 before a country code.
  const dialled = given.replace(/^00(?=[1-9])/, '+');
  const options = country !== null && isSupportedCountry(country) ? { defaultCountry: country } : {};
  const parsed = parsePhoneNumberFromString(dialled, { ...options, extract: false });
  if (!parsed?.isValid()) return undefined;
  return parsed.ext === undefined ? parsed.number : `${parsed.number};ext=${parsed.ext}`;
}
