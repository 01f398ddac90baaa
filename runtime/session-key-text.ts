/** Whether a text can be a key for browser sessions: 32 random bytes or more, as base64. */
export const isSessionKey = (key: string): boolean => /^[A-Za-z0-9+/_-]{43,}=*$/.test(key) && new Set(key).size >= 16;

/** Reads keys, separated by commas or white space. @returns undefined when the text is anything else */
export function sessionKeysIn(text: string): string[] | undefined {
  const keys = text.split(/[\s,]+/).filter(Boolean);
  return keys.length > 0 && keys.every(isSessionKey) ? keys : undefined;
}
