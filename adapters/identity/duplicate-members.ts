/**
 * Whether an object in a JSON text has a member twice. `JSON.parse` keeps the last one, other readers the first: with
 * two, a token could say one thing to one reader and something else to another.
 *
 * @param json a text that `JSON.parse` accepts
 */
export function hasDuplicateMembers(json: string): boolean {
  /** The names seen in each open object; undefined for an open list. */
  const open: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (const [text, colon] of json.matchAll(token)) {
    if (text === '{') open.push(new Set());
    else if (text === '[') open.push(undefined);
    else if (text === '}' || text === ']') open.pop();
    else if (colon !== undefined) {
      // Parsed, because `"a"` and `"\u0061"` are the same name.
      const name = JSON.parse(text.slice(0, -colon.length)) as string;
      const names = open.at(-1);
      if (names?.has(name)) return true;
      names?.add(name);
    }
  }
  return false;
}
