/** The step and what follows it in a call's key, `<task>/<step>[/<suffix>]`; undefined when it is no such key. */
export function stepIn(idempotencyKey: string): { step: number; suffix: string | undefined } | undefined {
  const [, step, suffix] = /^[^/]+\/(\d+)(?:\/(.+))?$/.exec(idempotencyKey) ?? [];
  return step === undefined ? undefined : { step: Number(step), suffix };
}
