/** A process takes a model for healthy for so long after it saw that in the row, in milliseconds. */
const healthyForMs = 250;

/** The models whose rows this process has just seen without a failure, a block or limits. */
export function createHealthyModels() {
  const seenAt = new Map<string, number>();
  /** Counts what this process itself has reported, so that an older read does not hide it. */
  let reports = 0;
  return {
    has: (model: string) => performance.now() - (seenAt.get(model) ?? -Infinity) < healthyForMs,

    /** Call it before the row is read. @returns to be called when the model is healthy */
    beginRead(model: string) {
      const [at, before] = [performance.now(), reports];
      return () => {
        if (reports === before) seenAt.set(model, at);
      };
    },

    forget(model: string) {
      reports++;
      seenAt.delete(model);
    },
  };
}
