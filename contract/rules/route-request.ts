import { contentStems } from './terms.ts';

/** An agent as its description shows it, with the examples in it. */
export type RoutableAgent = { name: string; description: string };

/** A part of a request for one agent. */
export type RoutedPart = { agent: string; request: string };

/** The least score: one word that a single agent's description has. */
const leastScore = 1;
/** Words at the beginning say what is wanted, those behind them more often what it is about. They count twice. */
const firstWords = 4;
/** More parts are one request that no rule understands. */
const maxParts = 4;

/** Where a request may have parts: at the end of a sentence, at a new line, and at “and”, “und”, “et” … */
const joints = /(?<=[.?!;])\s+|\n+|,?\s+(?:and\s+(?:then|also)|and|und|sowie|et|y|e|en|och|og)\s+/iu;

/**
 * Routes a request to agents without a model, for the offline provider: the words of the request against the words of
 * the agents' descriptions. A word counts less the more agents have it. “X and Y” is parted only where X and Y belong
 * to different agents; a part without such a word belongs to the one before it.
 *
 * The rules do not understand anything: a request in words that no description has is routed to no agent.
 *
 * @returns nothing when no agent's words are in the request
 */
export function routeRequest(text: string, agents: RoutableAgent[]): RoutedPart[] {
  const known = agents.map(({ name, description }) => ({ name, stems: contentStems(`${name} ${description}`) }));
  const bestFor = (part: string): string | undefined => {
    const scores = known.map(({ name, stems }) => ({ name, score: scoreOf(contentStems(part), stems, known) }));
    const [first, second] = scores.sort((a, b) => b.score - a.score);
    return first && first.score >= leastScore && first.score > (second?.score ?? 0) ? first.name : undefined;
  };
  const parts: RoutedPart[] = [];
  let before = '';
  const pieces = piecesOf(text);
  const hasQuestion = pieces.some(isQuestion);
  for (const piece of pieces) {
    // What is stated beside a question is there for the question.
    const isContext = hasQuestion && /[.;]\s*$/u.test(piece) && !isOrder(piece);
    const agent = isContext ? undefined : bestFor(piece.trim());
    const last = parts.at(-1);
    if (agent === undefined || agent === last?.agent) {
      if (last) last.request += piece;
      else before += piece;
    } else parts.push({ agent, request: (last ? '' : before) + piece.replace(joint, '') });
  }
  if (parts.length > 1 && parts.length <= maxParts)
    return parts.map(({ agent, request }) => ({ agent, request: request.trim() }));
  const only = parts.length === 1 ? parts[0]?.agent : bestFor(text);
  return only === undefined ? [] : [{ agent: only, request: text.trim() }];
}

const isQuestion = (piece: string) => /\?\s*$/u.test(piece);

/** English verbs that a request begins with. In another language each sentence is taken for a request. */
const orders = new Set(
  `analyse analyze answer ask audit book calculate call check collect compare compute count create draft draw email
   estimate explain find forward get give list look mail make notify plan prepare propose read redline remind report
   review search send show sum summarise summarize tell trigger translate watch work write`.split(/\s+/),
);
const isOrder = (piece: string): boolean => {
  const [first = ''] = /\p{L}+/u.exec(piece.replace(joint, '').replace(/^\s*(?:please|then|also)\s+/iu, '')) ?? [];
  return orders.has(first.toLowerCase());
};

/** A conjunction that a piece begins with. */
const joint = new RegExp(`^(?:${joints.source})`, 'iu');

/** The pieces between joints, each with the joint before it. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (const match of text.matchAll(new RegExp(joints.source, 'giu'))) {
    pieces.push(text.slice(start, match.index));
    start = match.index;
  }
  return [...pieces, text.slice(start)].filter((piece) => piece.trim() !== '');
}

const scoreOf = (words: Set<string>, stems: Set<string>, known: { stems: Set<string> }[]): number =>
  [...words].reduce((sum, word, index) => {
    if (!stems.has(word)) return sum;
    const weight = index < firstWords ? 2 : 1;
    return sum + weight / known.filter((other) => other.stems.has(word)).length;
  }, 0);
