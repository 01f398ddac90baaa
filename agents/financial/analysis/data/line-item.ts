/** A line of a statement that is understood. `costs`: it is an expense or payment, which some write as negative. */
export type LineItem = {
  key: string;
  name: string;
  statement: 'income' | 'balance' | 'cashflow';
  costs?: true;
  /** What statements call it, in English, German, French and Spanish. Compared without accents and punctuation. */
  names: readonly string[];
};

export const splitNames = (names: string) => names.split('|').map((one) => one.trim());

/** Makes items of one statement. */
export const itemsOf =
  (statement: LineItem['statement']) =>
  (key: string, name: string, names: string, costs?: true): LineItem => ({
    key,
    name,
    statement,
    ...(costs && { costs }),
    names: splitNames(names),
  });
