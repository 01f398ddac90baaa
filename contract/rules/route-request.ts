import { contentStems } from './terms.ts';

/** An agent as its description shows it, with the examples in it. */
export type RoutableAgent = { name: string; description: string };

/** A part of a request for one agent. */
export type RoutedPart = { agent: string; request: string };

type Known = { name: string; stems: Set<string> };

/** The least score: one word that a single agent's description has. */
const leastScore = 1;
/** Words at the beginning say what is wanted, those behind them more often what it is about. They count twice. */
const firstWords = 4;
/** More parts are one request that no rule understands. */
const maxParts = 4;

/** Where a request may have parts: at the end of a sentence, at a new line, and at “and”, “und”, “et” … */
const joints =
  /(?<=[.?!;])\s+|\n+|,?\s+(?:(?:and\s+)?(?:then|also|plus|separately)|and|und|sowie|et|y|e|en|och|og)\s+/iu;

/** What people put before what they want. */
const politeness = /^\s*(?:(?:please|pls|hi|hey|hello|ok|can|could|would|will|you|then|also|now|just)\b[\s,!]*)+/iu;

/** English orders to send something: what it says may have the words of any agent. */
const sending =
  /^(?:(?:e-?)?mail|send|forward|notify|trigger|fire|post)\b|^(?:write|reply)\s+(?:an?\s+(?:e-?)?mail|to)\b|\bby\s+(?:e-?)?mail\b|^(?:call|use|hit|run)\b.*\b(?:web)?hook\b/iu;
/** English questions to what the company has written down. No agent is there for them but who searches. */
const inDocuments =
  /\b(?:according to|(?:should be |stands? |is )?in|what do(?:es)?|our|the)\b[^.?!]*\b(?:handbook|guide|guidelines?|manual|wiki|policy|policies)\b[^.?!]*\b(?:says?|mentions?|allows?|states?|tells?)\b|\baccording to (?:the|our)\b|\bin (?:the|our) [^.?!,]*\b(?:handbook|guide|guidelines?|manual|wiki)\b/iu;

/** Where a question begins behind its premise, as in “We signed a lease, what tax is due?” */
const premise =
  /^.*[,:;]\s+(?:and\s+|so\s+)?(?=(?:how|what|which|who|where|when|whose|is|are|do|does|may|can|should)\b)/isu;
/** Behind these words stands what something is about, which any agent's words can be. */
const topic = /\b(?:about|abt|regarding|concerning)\b/iu;
/** Words of others. */
const quoted = /["“”„][^"“”„]*["“”„]/gu;

/** The words of an agent that sends. */
const channels = contentStems('email webhook');

/**
 * English verbs that a request begins with. In another language each sentence is taken for a request.
 */
const orders = new Set(
  `analyse analyze answer ask audit book calculate call check collect compare compute count create draft draw email
   estimate explain fire find forward get give let list look mail make notify plan post prepare propose read redline
   remind reply report review run search send show sum summarise summarize tell track translate trigger use watch work
   write`.split(/\s+/),
);

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
  const parts: RoutedPart[] = [];
  let before = '';
  const pieces = piecesOf(text);
  const hasRequest = pieces.some((piece) => isQuestion(piece) || isOrder(piece));
  for (const piece of pieces) {
    // What is stated beside a request is there for the request.
    const isContext = hasRequest && /[.;]\s*$/u.test(piece) && !isOrder(piece);
    const agent = isContext ? undefined : bestFor(piece, known);
    const last = parts.at(-1);
    if (agent === undefined || agent === last?.agent) {
      if (last) last.request += piece;
      else before += piece;
    } else parts.push({ agent, request: (last ? '' : before) + piece.replace(joint, '') });
  }
  if (parts.length > 1 && parts.length <= maxParts)
    return parts.map(({ agent, request }) => ({ agent, request: request.trim() }));
  const only = parts.length === 1 ? parts[0]?.agent : bestFor(text, known);
  return only === undefined ? [] : [{ agent: only, request: text.trim() }];
}

/** The agent with the most words of a piece; of several, the one whose word comes first. */
function bestFor(piece: string, known: Known[]): string | undefined {
  const plain = startOf(piece).replace(quoted, ' ');
  const isSent = sending.test(plain) && known.some(({ stems }) => [...channels].some((word) => stems.has(word)));
  if (!isSent && inDocuments.test(plain)) return undefined;
  const words = isSent ? [...channels].map((word) => ({ word, weight: 1 })) : weighted(plain);
  const scores = known.map(({ name, stems }) => ({
    name,
    score: scoreOf(words, stems, known),
    first: words.findIndex(({ word }) => stems.has(word)),
  }));
  const [first, second] = scores.sort((a, b) => b.score - a.score || a.first - b.first);
  if (!first || first.score < leastScore) return undefined;
  return first.score === second?.score && first.first === second.first ? undefined : first.name;
}

const isQuestion = (piece: string) => /\?\s*$/u.test(piece);

const isOrder = (piece: string): boolean => {
  const [first = ''] = /\p{L}+/u.exec(startOf(piece)) ?? [];
  return orders.has(first.toLowerCase());
};

/** A piece from what it wants on. */
const startOf = (piece: string): string => piece.replace(joint, '').replace(politeness, '').trim();

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

type Weighted = { word: string; weight: number };

/** The words of what is wanted, then those of its topic and its premise, which say less. */
function weighted(plain: string): Weighted[] {
  const wanted = plain.replace(premise, '');
  const { index = wanted.length } = topic.exec(wanted) ?? {};
  const first = [...contentStems(wanted.slice(0, index))];
  const others = contentStems(`${wanted.slice(index)} ${plain.slice(0, plain.length - wanted.length)}`);
  return [
    ...first.map((word, place) => ({ word, weight: place < firstWords ? 2 : 1 })),
    ...[...others].filter((word) => !first.includes(word)).map((word) => ({ word, weight: 0.5 })),
  ];
}

const scoreOf = (words: Weighted[], stems: Set<string>, known: Known[]): number =>
  words.reduce((sum, { word, weight }) => {
    if (!stems.has(word)) return sum;
    return sum + weight / known.filter((other) => other.stems.has(word)).length;
  }, 0);
