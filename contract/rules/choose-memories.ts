import type { Memory } from '../memories.ts';
import { contentStems } from './terms.ts';

/** What the memories of a task may have together, in UTF-16 code units: about a thousand tokens. */
const mostCharacters = 4_000;
const most = 20;

/**
 * Chooses what a task is given: those that share most words with the question, then the newest. Wishes like “answer in
 * French” share no word with any question, so what fits is given.
 *
 * @param memories newest first
 */
export function chooseMemories<M extends Pick<Memory, 'text'>>(memories: readonly M[], question: string): M[] {
  const asked = contentStems(question);
  const shared = ({ text }: M) => [...contentStems(text)].filter((stem) => asked.has(stem)).length;
  const ordered = memories
    .map((memory) => ({ memory, score: shared(memory) }))
    .sort((a, b) => b.score - a.score)
    .map(({ memory }) => memory);
  let left = mostCharacters;
  return ordered
    .filter(({ text }) => {
      if (text.length > left) return false;
      left -= text.length;
      return true;
    })
    .slice(0, most);
}
