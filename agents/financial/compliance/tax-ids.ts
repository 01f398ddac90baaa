import { stdnum } from 'stdnum';

/** The validator of a country's tax number: of VAT in Europe, ABN, GST/HST number, GSTIN, corporate number. */
const kinds: Readonly<Record<string, readonly [country: string, kind: string]>> = {
  AT: ['AT', 'uid'],
  BE: ['BE', 'vat'],
  BG: ['BG', 'vat'],
  CY: ['CY', 'vat'],
  CZ: ['CZ', 'dic'],
  DE: ['DE', 'vat'],
  DK: ['DK', 'cvr'],
  EE: ['EE', 'kmkr'],
  EL: ['GR', 'vat'],
  ES: ['ES', 'nif'],
  FI: ['FI', 'alv'],
  FR: ['FR', 'tva'],
  GB: ['GB', 'vat'],
  HR: ['HR', 'oib'],
  HU: ['HU', 'anum'],
  IE: ['IE', 'vat'],
  IT: ['IT', 'iva'],
  LT: ['LT', 'pvm'],
  LU: ['LU', 'tva'],
  LV: ['LV', 'pvn'],
  MT: ['MT', 'vat'],
  NL: ['NL', 'btw'],
  PL: ['PL', 'nip'],
  PT: ['PT', 'nif'],
  RO: ['RO', 'cf'],
  SE: ['SE', 'vat'],
  SI: ['SI', 'ddv'],
  SK: ['SK', 'dph'],
  AU: ['AU', 'abn'],
  CA: ['CA', 'gst'],
  IN: ['IN', 'gstin'],
  JP: ['JP', 'cn'],
};
const nationalOnly = new Set(['AU', 'CA', 'IN', 'JP']);

type Validator = { validate(value: string): { isValid: boolean; error?: Error } };
const validators = stdnum as unknown as Readonly<
  Record<string, Readonly<Record<string, Validator | undefined>> | undefined>
>;

/**
 * Checks the form and the check digits of a tax number. Whether it was ever given out only its office knows.
 *
 * @param usual the country of numbers that do not begin with one
 * @returns what is wrong with it; undefined when nothing is, or no rule is known
 */
export function taxIdFault(text: string, usual: string | undefined): string | undefined {
  const plain = text.toUpperCase().replace(/[\s.\-/]/g, '');
  const prefix = /^[A-Z]{2}(?=[A-Z0-9]{2,13}$)/.exec(plain)?.[0];
  const isForeign = prefix !== undefined && Object.hasOwn(kinds, prefix) && !nationalOnly.has(prefix);
  const country = isForeign ? prefix : usual;
  const [owner = '', kind = ''] = (country !== undefined ? kinds[country] : undefined) ?? [];
  const validator = validators[owner]?.[kind];
  if (!validator) return undefined;
  // Japan writes a T before the number, Ireland and others the country.
  const number = country === 'JP' ? plain.replace(/^T/, '') : plain;
  const { isValid, error } = validator.validate(number);
  return isValid ? undefined : `as a number of ${country}: ${(error?.message ?? 'it is not valid').replace(/\.$/, '')}`;
}
