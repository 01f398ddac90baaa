import countries from 'i18n-iso-countries';
import { foldWords } from '../../contract/rules/contacts/fold-words.ts';

/** Languages in which countries are named. A name of one of them stands for no other country in another. */
const languages = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl'];

/** Parts of the United Kingdom, and short forms that the library does not have. */
const others: Record<string, string> = {
  england: 'GB',
  scotland: 'GB',
  wales: 'GB',
  'northern ireland': 'GB',
  us: 'US',
  usa: 'US',
  'u s': 'US',
  'u s a': 'US',
  america: 'US',
  uk: 'GB',
};

let byName: Map<string, string> | undefined;

/** @returns the country as ISO 3166-1 alpha-2, by its code or name; undefined when none is known by it */
export function findCountry(text: string): string | undefined {
  const code = text.trim().toUpperCase();
  if (/^[A-Z\d]{2,3}$/.test(code) && countries.isValid(code)) return countries.toAlpha2(code);
  byName ??= namesOfCountries();
  return byName.get(foldWords(text).join(' '));
}

function namesOfCountries(): Map<string, string> {
  const found = new Map(Object.entries(others));
  for (const language of languages)
    for (const [code, names] of Object.entries(countries.getNames(language, { select: 'all' })))
      for (const name of [names].flat()) {
        const key = foldWords(name).join(' ');
        if (!found.has(key)) found.set(key, code);
      }
  return found;
}
