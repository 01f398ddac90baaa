/** One thing that was checked. `unknown`: it cannot be seen from here. */
export type Finding = { check: string; state: 'ok' | 'wrong' | 'unknown'; message: string; advice?: string };

export const ok = (check: string, message: string): Finding => ({ check, state: 'ok', message });
export const wrong = (check: string, message: string, advice: string): Finding => ({
  check,
  state: 'wrong',
  message,
  advice,
});
export const unknown = (check: string, message: string, advice?: string): Finding => ({
  check,
  state: 'unknown',
  message,
  ...(advice === undefined ? {} : { advice }),
});
