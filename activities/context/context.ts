import { AlfredError } from '../../contract/errors.ts';
import type { CompactionMessage, StoredMessage } from '../../contract/messages.ts';
import type { MessageHead, Scope } from '../../contract/references.ts';
import { numberPassages, numbersOf, shownByOf } from './citations.ts';
import { bytesOfAll, densityOf, dropResults, splitForSummary, type Chain, type Density } from './context-plan.ts';
import { boundTokens, estimateTokens } from './context-size.ts';
import type { MessageChain, MessageStore, Message, ModelFacts } from '../../contract/ports/index.ts';
import { transcriptOf } from './transcript.ts';

/** Share of the window at which a conversation is made shorter, and what it is made shorter to. Far apart, so that the prefix that providers cache stays the same for long. */
const fullShare = 0.8;
const aimShare = 0.5;
const tailShare = 0.25;
const summaryShare = 0.125;

/** The longest summary, in tokens. */
const longestSummary = 8_192;

export type Compacted = {
  method: 'drop_tool_results' | 'summary';
  /** Tool results, or messages that the summary stands for. */
  dropped: number;
  tokensBefore: number;
  tokensAfter: number;
};

/** A conversation that fits its model. */
export type Fitted = {
  /** Of the chain that goes to the model; another than was asked for when the conversation was compacted. */
  head: MessageHead;
  /** Passages are numbered. */
  conversation: MessageChain;
  /** Input tokens, about. */
  estimatedTokens: number;
  /** Input tokens at the most. */
  boundTokens: number;
  compacted: Compacted[];
};

type Fit = {
  task: Scope;
  head: MessageHead;
  facts: Pick<ModelFacts, 'name' | 'contextTokens' | 'citations'>;
  /** The output limit of the call. */
  outputTokens: number;
  /** UTF-8 bytes of instructions, tools and schemas as JSON. */
  overheadBytes: number;
  /** The provider said that the conversation is too large: it is made half of what it is, whatever the estimate says. */
  force?: boolean | undefined;
  /** Has a model write what these messages say, in so many tokens at the most. For the same step it must return the same text. */
  summarise: (messages: Message[], maxTokens: number) => Promise<string>;
};

/**
 * Loads a conversation for a model, and makes it shorter when it takes too much of the window: old tool results are
 * dropped first, which the model can read again; if that is not enough, a summary stands for all but the questions and
 * the newest messages. Nothing is lost: the new chain names the old one. A repeat comes to the same head.
 *
 * @throws AlfredError `model_context_overflow` when it cannot be made to fit
 */
export async function fit(
  { conversations: messageStore }: { conversations: Pick<MessageStore, 'load' | 'storeCompacted'> },
  { task, head, facts, outputTokens, overheadBytes, force = false, summarise }: Fit,
): Promise<Fitted> {
  const load = async (from: MessageHead) => {
    const conversation = await messageStore.load(task, from);
    return { ...conversation, messages: numberPassages(conversation.messages) };
  };
  const fitted = (at: MessageHead, conversation: MessageChain, compacted: Compacted[]): Fitted => ({
    head: at,
    conversation,
    estimatedTokens: compacted.at(-1)?.tokensAfter ?? estimateTokens(conversation, overheadBytes),
    boundTokens: boundTokens(conversation, facts.name, overheadBytes, facts.citations),
    compacted,
  });

  const conversation = await load(head);
  const tokensBefore = estimateTokens(conversation, overheadBytes);
  const window = facts.contextTokens - outputTokens;
  if (!force && tokensBefore <= fullShare * window) return fitted(head, conversation, []);

  const room = force ? Math.min(window, tokensBefore) : window;
  const density = densityOf(conversation, overheadBytes);
  const tokensOf = (messages: Message[]) => density(bytesOfAll(messages) + overheadBytes);
  // What the provider has refused is not sent to it again as something to summarise.
  const roomToTell = (force ? aimShare : fullShare) * room;
  const shorter = room > 0 && (await shorten(conversation, { room, roomToTell, tokensOf, density, summarise }));
  if (!shorter && !force && tokensBefore <= window) return fitted(head, conversation, []);
  if (!shorter) throw overflow(facts, outputTokens, tokensBefore);

  const { method, dropped, summary } = shorter;
  const root: CompactionMessage = {
    role: 'compaction',
    from: head,
    ...(summary === undefined ? {} : { summary }),
    passages: Object.fromEntries(numbersOf(conversation.messages)),
    shownBy: shownByOf(conversation.messages, conversation.stored),
  };
  const tokensAfter = Math.min(tokensBefore, Math.ceil(tokensOf([root, ...shorter.messages])));
  if (tokensAfter > window) throw overflow(facts, outputTokens, tokensAfter);
  const next = await messageStore.storeCompacted(task, [root, ...shorter.stored]);
  return fitted(next, await load(next), [{ method, dropped, tokensBefore, tokensAfter }]);
}

type Shorter = Chain & { method: Compacted['method']; dropped: number; summary?: string | undefined };

type Room = {
  /** Tokens that the shares are of. */
  room: number;
  /** The most that a summary is written from, in tokens. */
  roomToTell: number;
  tokensOf: (messages: Message[]) => number;
  density: Density;
  summarise: Fit['summarise'];
};

/** @returns what stays, without a root, or undefined when nothing can go */
async function shorten(chain: Chain, { room, roomToTell, tokensOf, density, summarise }: Room) {
  const aim = aimShare * room;
  const without = dropResults(chain, (tokensOf(chain.messages) - aim) / density(1), density);
  const tokensWithout = tokensOf(without.messages);
  const [first] = chain.messages;
  const dropping: Shorter | undefined =
    without.dropped === 0
      ? undefined
      : {
          messages: without.messages.filter(isSaid),
          stored: without.stored.filter(isSaid),
          method: 'drop_tool_results',
          dropped: without.dropped,
          summary: first?.role === 'compaction' ? first.summary : undefined,
        };
  if (dropping && tokensWithout <= aim) return dropping;

  const split = splitForSummary(chain, tailShare * room, density);
  const maxTokens = Math.floor(Math.min(longestSummary, summaryShare * room));
  if (!split || tokensOf(split.kept.messages) + maxTokens >= tokensWithout) return dropping;
  const all = chain.messages.slice(0, split.tail);
  const told: Message[] =
    tokensOf(all) <= roomToTell ? all : [{ role: 'user', text: transcriptOf(all, roomToTell / density(1)) }];
  const summary = atMost(await summarise(told, maxTokens), maxTokens / density(1));
  return { ...split.kept, method: 'summary', dropped: split.replaced, summary } satisfies Shorter;
}

const isSaid = ({ role }: { role: StoredMessage['role'] }) => role !== 'compaction';

/** A model that does not keep to the length it was given must not make the summary the next thing that does not fit. */
function atMost(text: string, maxBytes: number): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  return `${text.slice(0, Math.floor((text.length * maxBytes) / bytes)).toWellFormed()} … (cut off here)`;
}

const overflow = ({ name, contextTokens }: Fit['facts'], outputTokens: number, tokens: number) =>
  new AlfredError(
    'model_context_overflow',
    `The conversation takes about ${tokens} tokens and cannot be made shorter. ${name} has room for ${contextTokens}, ${outputTokens} of them for its answer: ask for less at once, lower ALFRED_MAX_OUTPUT_TOKENS or choose a model with a larger window.`,
  );
