import type { JsonValue } from '../../contract/json.ts';

// Fields of Chat Completions that the official protocol does not have. They are kept and sent back as they came.

type Fields = Record<string, JsonValue>;

/** The fields of a streamed object that are not among the known ones and are not null. */
export const unknownFields = (value: object, knownFields: string[]): Fields =>
  Object.fromEntries(
    Object.entries(value as Fields).filter(
      ([name, field]) => !knownFields.includes(name) && field !== null && field !== undefined,
    ),
  );

/** Merges the fields of a later piece into those of the pieces before it. A later value replaces an earlier one. */
export function mergeFields(before: Fields, added: Fields): Fields {
  const merged = { ...before };
  for (const [name, value] of Object.entries(added)) {
    const earlier = merged[name];
    merged[name] = isObject(earlier) && isObject(value) ? mergeFields(earlier, value) : value;
  }
  return merged;
}

const isObject = (value: JsonValue | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The names under which servers of reasoning models stream text that is not part of the answer. */
const textNames = ['reasoning_content', 'reasoning'] as const;

/** Collects the reasoning of a response, under the names that the server uses. */
export class ReasoningFields {
  private readonly texts = new Map<string, string>();
  /** OpenRouter's form: a list of pieces, of which neighbours with the same index and type belong together. */
  private readonly details: JsonValue[] = [];

  /** @returns how many characters the delta added */
  add(delta: object): number {
    const fields = delta as Fields;
    let characters = 0;
    for (const name of textNames) {
      const text = fields[name];
      if (typeof text !== 'string') continue;
      this.texts.set(name, (this.texts.get(name) ?? '') + text);
      characters += text.length;
    }
    const details = fields['reasoning_details'];
    for (const detail of Array.isArray(details) ? details : []) {
      this.addDetail(detail);
      if (characters === 0) characters += JSON.stringify(detail).length;
    }
    return characters;
  }

  /** The fields to send back; undefined when the server sent none. */
  fields(): Fields | undefined {
    if (this.texts.size === 0 && this.details.length === 0) return undefined;
    return {
      ...Object.fromEntries(this.texts),
      ...(this.details.length > 0 ? { reasoning_details: this.details } : {}),
    };
  }

  private addDetail(detail: JsonValue) {
    const last = this.details.at(-1);
    const continues =
      isObject(detail) && isObject(last) && last['index'] === detail['index'] && last['type'] === detail['type'];
    if (!continues) {
      this.details.push(detail);
      return;
    }
    const joined = mergeFields(last, unknownFields(detail, []));
    for (const name of ['text', 'summary', 'data'])
      if (typeof last[name] === 'string' && typeof detail[name] === 'string') joined[name] = last[name] + detail[name];
    this.details[this.details.length - 1] = joined;
  }
}
