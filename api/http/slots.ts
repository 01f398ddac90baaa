/**
 * Bounds how many of something are under way at once for each key, in this process.
 *
 * @param most 0: no bound
 */
export function createSlots(most: number) {
  const taken = new Map<string, number>();
  return {
    /** @returns frees the slot, once; undefined when all are taken */
    take(key: string): (() => void) | undefined {
      const count = taken.get(key) ?? 0;
      if (most > 0 && count >= most) return undefined;
      taken.set(key, count + 1);
      let isFree = false;
      return () => {
        if (isFree) return;
        isFree = true;
        const left = (taken.get(key) ?? 1) - 1;
        if (left > 0) taken.set(key, left);
        else taken.delete(key);
      };
    },
  };
}
