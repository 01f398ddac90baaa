/** null is an empty cell, undefined what cannot be computed. */
export type FormulaValue = number | string | boolean | null | undefined;

/** The values of a reference like `B2` or `B2:B9`, row by row. */
type Lookup = (reference: string, sheet: string | undefined) => FormulaValue[] | undefined;

const token =
  /\s*(?:(?<number>\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)|"(?<text>(?:[^"]|"")*)"|(?:(?:'(?<quoted>(?:[^']|'')+)'|(?<sheet>[\p{L}_][\p{L}\p{N}_.]*))!)?(?<reference>\$?[A-Z]{1,3}\$?\d{1,7}(?::\$?[A-Z]{1,3}\$?\d{1,7})?)(?![\w(])|(?<name>[A-Z][A-Z0-9.]*)|(?<sign><=|>=|<>|[-+*/^&=<>%(),;]))/iuy;

type Token = { kind: 'number' | 'text' | 'reference' | 'name' | 'sign'; text: string; sheet?: string | undefined };

const formulaMaxCharacters = 2_000;

class NotComputable extends Error {}

/** Computes a formula; undefined when it has functions or signs that are not known here. */
export function evaluate(formula: string, lookup: Lookup): FormulaValue {
  const tokens = tokensOf(formula);
  if (!tokens) return undefined;
  try {
    return parseFormula(tokens, lookup);
  } catch (error) {
    if (error instanceof NotComputable || error instanceof RangeError) return undefined;
    throw error;
  }
}

function tokensOf(formula: string): Token[] | undefined {
  if (formula.length > formulaMaxCharacters) return undefined;
  const text = formula.trim();
  const tokens: Token[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const groups = token.exec(text)?.groups;
    if (!groups) return undefined;
    const sheet = groups.quoted?.replaceAll("''", "'") ?? groups.sheet;
    if (groups.number !== undefined) tokens.push({ kind: 'number', text: groups.number });
    else if (groups.text !== undefined) tokens.push({ kind: 'text', text: groups.text.replaceAll('""', '"') });
    else if (groups.reference !== undefined) tokens.push({ kind: 'reference', text: groups.reference, sheet });
    else if (groups.name !== undefined) tokens.push({ kind: 'name', text: groups.name.toUpperCase() });
    else tokens.push({ kind: 'sign', text: groups.sign ?? '' });
  }
  return tokens;
}

const comparisons: Record<string, (order: number) => boolean> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '>': (order) => order > 0,
  '<=': (order) => order <= 0,
  '>=': (order) => order >= 0,
};

function parseFormula(tokens: Token[], lookup: Lookup): FormulaValue {
  let at = 0;
  const isSign = (...signs: string[]) => tokens[at]?.kind === 'sign' && signs.includes(tokens[at]?.text ?? '');
  const take = (): string => tokens[at++]?.text ?? '';
  const expect = (sign: string) => {
    if (!isSign(sign)) throw new NotComputable();
    at++;
  };
  const leftToRight = (
    next: () => FormulaValue[],
    signs: string[],
    apply: (a: FormulaValue, sign: string, b: FormulaValue) => FormulaValue,
  ) => {
    let left = next();
    while (isSign(...signs)) {
      const sign = take();
      left = [apply(single(left), sign, single(next()))];
    }
    return left;
  };

  const comparison = (): FormulaValue[] =>
    leftToRight(joined, Object.keys(comparisons), (a, sign, b) => comparisons[sign]?.(compare(a, b)));
  const joined = (): FormulaValue[] => leftToRight(sum, ['&'], (a, _sign, b) => textOf(a) + textOf(b));
  const sum = (): FormulaValue[] =>
    leftToRight(product, ['+', '-'], (a, sign, b) =>
      sign === '+' ? numberOf(a) + numberOf(b) : numberOf(a) - numberOf(b),
    );
  const product = (): FormulaValue[] =>
    leftToRight(power, ['*', '/'], (a, sign, b) =>
      sign === '*' ? numberOf(a) * numberOf(b) : divide(numberOf(a), numberOf(b)),
    );
  const power = (): FormulaValue[] => leftToRight(signed, ['^'], (a, _sign, b) => numberOf(a) ** numberOf(b));
  const signed = (): FormulaValue[] => {
    if (!isSign('-', '+')) return percentage();
    const sign = take();
    const value = numberOf(single(signed()));
    return [sign === '-' ? -value : value];
  };
  const percentage = (): FormulaValue[] => {
    let values = atom();
    while (isSign('%')) {
      at++;
      values = [numberOf(single(values)) / 100];
    }
    return values;
  };
  const atom = (): FormulaValue[] => {
    const next = tokens[at++];
    if (next?.kind === 'number') return [Number(next.text)];
    if (next?.kind === 'text') return [next.text];
    if (next?.kind === 'reference') {
      const values = lookup(next.text, next.sheet);
      if (!values || values.includes(undefined)) throw new NotComputable();
      return values;
    }
    if (next?.kind === 'sign' && next.text === '(') {
      const values = comparison();
      expect(')');
      return values;
    }
    if (next?.kind !== 'name') throw new NotComputable();
    if ((next.text === 'TRUE' || next.text === 'FALSE') && !isSign('(')) return [next.text === 'TRUE'];
    return [call(next.text, argumentsOf())];
  };
  const argumentsOf = (): FormulaValue[][] => {
    expect('(');
    const list: FormulaValue[][] = [];
    while (!isSign(')')) {
      list.push(comparison());
      if (isSign(',', ';')) at++;
      else break;
    }
    expect(')');
    return list;
  };

  const result = single(comparison());
  if (at < tokens.length || (typeof result === 'number' && !Number.isFinite(result))) throw new NotComputable();
  return result ?? 0;
}

const functions: Record<string, (args: FormulaValue[][]) => FormulaValue> = {
  SUM: (args) => numbers(args).reduce((a, b) => a + b, 0),
  PRODUCT: (args) => numbers(args).reduce((a, b) => a * b, 1),
  AVERAGE: (args) =>
    divide(
      numbers(args).reduce((a, b) => a + b, 0),
      numbers(args).length,
    ),
  MIN: (args) => numbers(args).reduce((a, b) => Math.min(a, b), Infinity),
  MAX: (args) => numbers(args).reduce((a, b) => Math.max(a, b), -Infinity),
  COUNT: (args) => numbers(args).length,
  COUNTA: (args) => args.flat().filter((value) => value !== null).length,
  ROUND: ([value, digits]) => rounded(numberOf(single(value)), numberOf(single(digits ?? [0]))),
  ABS: ([value]) => Math.abs(numberOf(single(value))),
  IF: ([condition, then, otherwise]) => single(single(condition) ? then : (otherwise ?? [false])),
  AND: (args) => args.flat().every(Boolean),
  OR: (args) => args.flat().some(Boolean),
  NOT: ([value]) => !single(value),
  CONCATENATE: (args) => args.map((value) => textOf(single(value))).join(''),
  CONCAT: (args) => args.flat().map(textOf).join(''),
  UPPER: ([value]) => textOf(single(value)).toUpperCase(),
  LOWER: ([value]) => textOf(single(value)).toLowerCase(),
  TRIM: ([value]) => textOf(single(value)).trim().replace(/ +/g, ' '),
};

function call(name: string, args: FormulaValue[][]): FormulaValue {
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!known) throw new NotComputable();
  return known(args);
}

function single(values: FormulaValue[] | undefined): FormulaValue {
  if (values?.length !== 1 || values[0] === undefined) throw new NotComputable();
  return values[0];
}

/** Functions on ranges skip texts and empty cells. */
const numbers = (args: FormulaValue[][]) => args.flat().filter((value) => typeof value === 'number');

function numberOf(value: FormulaValue): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) throw new NotComputable();
  return number;
}

const textOf = (value: FormulaValue): string =>
  value === null
    ? ''
    : typeof value === 'boolean'
      ? String(value).toUpperCase()
      : String(typeof value === 'number' ? Number(value.toPrecision(15)) : value);

function divide(a: number, b: number): number {
  if (b === 0) throw new NotComputable();
  return a / b;
}

/** Half away from zero, as Excel rounds. */
const rounded = (value: number, digits: number) =>
  (Math.sign(value) * Math.round(Number((Math.abs(value) * 10 ** digits).toPrecision(15)))) / 10 ** digits;

function compare(a: FormulaValue, b: FormulaValue): number {
  if (typeof a === 'string' || typeof b === 'string') {
    const [left, right] = [textOf(a).toLowerCase(), textOf(b).toLowerCase()];
    return left < right ? -1 : left > right ? 1 : 0;
  }
  return numberOf(a) - numberOf(b);
}
