/**
 * Names of the collections behind an alias.
 *
 * - `<alias>-<n>` is shared: every process may build it, and finds it by its kind.
 * - `<alias>-<n>-<key>` is private to one process until it serves. Unless it serves, it is removed with the process.
 */
export function createCollectionNames(alias: string) {
  const pattern = /^-\d+(-x[0-9a-f]{8})?$/;
  const partsOf = (name: string) => name.slice(alias.length + 1).split('-');
  const numberOf = (name: string) => Number(partsOf(name)[0]);
  return {
    isOurs: (name: string) => name.startsWith(alias) && pattern.test(name.slice(alias.length)),
    /** A higher number is a newer collection. */
    numberOf,
    isPrivate: (name: string) => partsOf(name).length > 1,
    keyOf: (name: string) => partsOf(name)[1],
    /** The name of a new collection next to `names`; a private one when there is a `key`. */
    next: (names: string[], key?: string) => {
      const number = Math.max(0, ...names.map(numberOf)) + 1;
      return key === undefined ? `${alias}-${number}` : `${alias}-${number}-${key}`;
    },
  };
}
