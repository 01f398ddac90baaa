import { plainName, wholeName } from '../tables/names.ts';
import { lineItems, sections, type LineItem } from './data/line-items.ts';

/** The items that a name stands for: at most one in each statement. */
const byName = new Map<string, LineItem[]>();
for (const item of lineItems)
  for (const name of item.names) {
    const key = wholeName(name);
    byName.set(key, [...(byName.get(key) ?? []), item]);
  }
/** Words of a title that say nothing about the statement. */
const titleWords =
  /\b(?:in|en|all|amounts|figures|gbp|usd|eur|chf|jpy|inr|aud|cad|sgd|teur|keur|euros?|dollars?|pounds?|thousands?|millions?|milliers|millones|millionen|miles|mio|tsd|mrd|bn|k|m|t|000s?|000|(?:19|20)\d\d)\b/g;
const titleOf = (text: string) => plainName(text).replace(titleWords, ' ').replace(/\s+/g, ' ').trim();

const sectionByName = new Map(
  sections.flatMap(({ statement, names }) => names.map((name) => [titleOf(name), statement])),
);
const itemByKey = new Map(lineItems.map((item) => [item.key, item]));

export const itemOf = (key: string): LineItem => {
  const item = itemByKey.get(key);
  if (!item) throw new Error(`no line item ${key}`);
  return item;
};

/** What may stand before a name or after it and changes nothing: `Less: `, `I. `, `1.2 `, a colon. */
const bare = (label: string) =>
  label
    .replace(/^\s*(?:[IVX]+\.|[A-Z]\.|\d{1,2}(?:\.\d{1,2})*[.)]?)\s+(?=\p{L})/u, '')
    .replace(/^\s*(?:less|add|plus|-|–|\+|=|\/\.|\.\/\.)\s*:?\s+/i, '');

/** The items that a label may be. Names are compared whole: a name that is not in the dictionary is no item. */
export function itemsNamed(label: string): readonly LineItem[] {
  const text = bare(label);
  return byName.get(wholeName(text)) ?? byName.get(plainName(text)) ?? [];
}

/** The statement that a title or a heading speaks of. */
export function sectionOf(label: string): LineItem['statement'] | undefined {
  return sectionByName.get(
    titleOf(
      bare(label)
        .replace(/:\s*$/, '')
        .replace(/['’]/g, ' ')
        .replace(/\bd (?=euros)/, ''),
    ),
  );
}
