/** What goes wrong with the next calls of a method. */
type Fault =
  | { kind: 'rate_limit'; retryAfterSeconds: number }
  | { kind: 'error'; code: string }
  | { kind: 'http'; status: number }
  /** The call is done, but its answer never arrives. */
  | { kind: 'lost' }
  | { kind: 'hang' };

export type Faults = ReturnType<typeof createFaults>;

/** Faults that tests ask for, on top of what the limits refuse. */
export function createFaults() {
  const byMethod = new Map<string, Fault[]>();
  let outage = false;
  let delayMs = 0;
  let elsewhere: string | undefined;
  const downloads: number[] = [];
  const uploads: number[] = [];
  let downloadsWait: Promise<void> | undefined;

  const add = (method: string, count: number, fault: Fault) => {
    byMethod.set(method, [...(byMethod.get(method) ?? []), ...Array<Fault>(count).fill(fault)]);
  };

  return {
    /** The next calls are refused with 429 and `Retry-After`. */
    rateLimit: (method: string, count = 1, retryAfterSeconds = 1) =>
      add(method, count, { kind: 'rate_limit', retryAfterSeconds }),
    /** The next calls are refused with this error. */
    fail: (method: string, code: string, count = 1) => add(method, count, { kind: 'error', code }),
    /** The next calls get this HTTP status. */
    httpStatus: (method: string, status: number, count = 1) => add(method, count, { kind: 'http', status }),
    /** The next calls are done, and the connection breaks before the answer. */
    loseAnswer: (method: string, count = 1) => add(method, count, { kind: 'lost' }),
    /** The next calls are not done and never answered. */
    hang: (method: string, count = 1) => add(method, count, { kind: 'hang' }),
    /** While it is on, every call gets 503. */
    setOutage: (on: boolean) => {
      outage = on;
    },
    /** Every answer takes this long, in real time. */
    setDelay: (ms: number) => {
      delayMs = ms;
    },
    delayMs: () => delayMs,
    /** The next downloads of files get this HTTP status. */
    failDownloads: (status: number, count = 1) => void downloads.push(...Array<number>(count).fill(status)),
    /** The next uploads of content get this HTTP status. */
    failUploads: (status: number, count = 1) => void uploads.push(...Array<number>(count).fill(status)),
    takeUpload: (): number | undefined => (outage ? 503 : uploads.shift()),
    /** Downloads of files lead to this address. */
    redirectDownloads: (to: string | undefined) => {
      elsewhere = to;
    },
    /** Downloads of files wait. @returns lets them go on */
    blockDownloads: (): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      downloadsWait = promise;
      return () => {
        downloadsWait = undefined;
        resolve();
      };
    },
    takeDownload: async (): Promise<{ status: number; location?: string } | undefined> => {
      await downloadsWait;
      if (elsewhere !== undefined) return { status: 302, location: elsewhere };
      const status = outage ? 503 : downloads.shift();
      return status === undefined ? undefined : { status };
    },
    take: (method: string): Fault | undefined => {
      if (outage) return { kind: 'http', status: 503 };
      return byMethod.get(method)?.shift();
    },
  };
}
