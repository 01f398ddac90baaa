/** Joins lines of one paragraph. Hyphenated words are joined again; items of a list stay on their own lines. */
export function joinLines(text: string, next: string): string {
  if (/^([-•‣▪*–]|\(?\d{1,2}[.)])\s/.test(next)) return `${text}\n${next}`;
  if (/\p{Ll}[-\u00ad\u2010]$/u.test(text) && /^\p{Ll}/u.test(next)) return text.slice(0, -1) + next;
  return `${text} ${next}`;
}
