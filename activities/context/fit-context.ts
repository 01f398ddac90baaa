import { AlfredError } from '../../contract/errors.ts';
import type { CompactionMessage, StoredMessage } from '../../contract/messages.ts';
import type { MessageHead, Scope } from '../../contract/references.ts';
import { numberPassages, numbersByResult, passageNumbersOf } from './citations.ts';
import {
  totalMessageBytes,
  densityOf,
  dropResults,
  splitForSummary,
  type Chain,
  type Density,
} from './context-plan.ts';
import { maxChainTokens, estimateChainTokens } from './context-size.ts';
import type { MessageChain, MessageStore, Message, ModelFacts } from '../../contract/ports/index.ts';
import { transcriptOf } from './transcript.ts';

/**
 * Share of the window at which a conversation is shortened, and the share that it is shortened to. The two are far
 * apart, so that the prefix that providers cache stays the same for many steps.
 */
const fullShare = 0.8;
const targetShare = 0.5;

/** Share of the window that the newest messages may take when a summary replaces the others. */
const tailShare = 0.25;
/** Share of the window that a summary may take. */
const summaryShare = 0.125;

/** The longest summary, in tokens. */
const maxSummaryTokens = 8_192;

export type Compacted = {
  method: 'drop_tool_results' | 'summary';
  /** Dropped tool results, or messages that the summary replaces. */
  dropped: number;
  tokensBefore: number;
  tokensAfter: number;
};

/** A conversation that fits its model. */
export type Fitted = {
  /** Head of the chain that goes to the model; a new one after a compaction. */
  head: MessageHead;
  /** Its passages are numbered. */
  conversation: MessageChain;
  /** Estimated input tokens. */
  estimatedTokens: number;
  /** Upper bound of the input tokens. */
  upperBoundTokens: number;
  compacted: Compacted[];
};

export type FitRequest = {
  task: Scope;
  head: MessageHead;
  /** The chain of `head`, if it is loaded already. */
  loaded?: MessageChain | undefined;
  facts: Pick<ModelFacts, 'name' | 'contextTokens' | 'citations'>;
  /** The output limit of the call. */
  outputTokens: number;
  /** UTF-8 bytes of instructions, tools and schemas as JSON. */
  overheadBytes: number;
  /** The provider refused the conversation as too large: halve it, regardless of the estimate. */
  force?: boolean | undefined;
};

/** How a conversation is made shorter. */
export type Compaction = {
  conversation: MessageChain;
  method: Compacted['method'];
  dropped: number;
  /** The messages that stay, without a root. */
  kept: Chain;
  tokensBefore: number;
  /** An earlier summary that stays. */
  summary?: string | undefined;
  /** Messages that a model must summarise first. */
  toSummarise?: SummaryRequest | undefined;
  /** What to do when there is no summary: drop old tool results, if that makes enough room. */
  dropping?: Compaction | undefined;
};

/** The compaction when the model wrote no summary. Without room for the messages they go; the questions stay. */
export const withoutSummary = (compaction: Compaction): Compaction =>
  compaction.dropping ?? {
    ...compaction,
    toSummarise: undefined,
    summary: [compaction.summary, missingSummary].filter(Boolean).join('\n\n'),
  };

const missingSummary = 'Earlier messages were left out to make room, and there is no summary of them.';

/** Summarise the messages in at most so many tokens. The summary is cut to `maxBytes`. */
export type SummaryRequest = { messages: Message[]; maxTokens: number; maxBytes: number };

/**
 * Loads a conversation, and plans how to shorten it if it takes too much of the model's window. Old tool results are
 * dropped first, because the model can read them again. If that is not enough, a summary replaces all messages except
 * the questions and the newest messages.
 *
 * @returns the conversation as it fits, or what `applyCompaction` must do first
 * @throws AlfredError `model_context_overflow` when it cannot be made to fit
 */
export async function planFit(
  messageStore: Pick<MessageStore, 'load'>,
  request: FitRequest,
): Promise<{ fitted: Fitted } | { compaction: Compaction }> {
  const { head, facts, outputTokens, overheadBytes, force = false } = request;
  const conversation = await loadNumbered(messageStore, request, head, request.loaded);
  const tokensBefore = estimateChainTokens(conversation, overheadBytes);
  const window = facts.contextTokens - outputTokens;
  if (!force && tokensBefore <= fullShare * window) return { fitted: fittedOf(request, head, conversation, []) };

  const room = force ? Math.min(window, tokensBefore) : window;
  const compaction = room > 0 ? planCompaction(conversation, { room, tokensBefore, request }) : undefined;
  if (compaction) return { compaction };
  if (!force && tokensBefore <= window) return { fitted: fittedOf(request, head, conversation, []) };
  throw force ? refusedAsTooLong(facts, tokensBefore) : overflow(facts, outputTokens, tokensBefore);
}

/**
 * Stores the shorter conversation. Nothing is lost: the new chain refers to the old one. A repeat with the same summary
 * returns the same head.
 *
 * @param summary what the model wrote about `compaction.toSummarise`
 * @throws AlfredError `model_context_overflow` when the shorter conversation is still too long
 */
export async function applyCompaction(
  messageStore: Pick<MessageStore, 'load' | 'storeCompacted'>,
  request: FitRequest,
  compaction: Compaction,
  summary?: string,
): Promise<Fitted> {
  const { task, head, facts, outputTokens, overheadBytes } = request;
  const { conversation, method, dropped, kept, tokensBefore, toSummarise } = compaction;
  const rootSummary =
    toSummarise && summary !== undefined ? truncate(summary, toSummarise.maxBytes) : compaction.summary;
  const root: CompactionMessage = {
    role: 'compaction',
    from: head,
    ...(rootSummary === undefined ? {} : { summary: rootSummary }),
    passages: Object.fromEntries(passageNumbersOf(conversation.messages)),
    shownBy: numbersByResult(conversation.messages, conversation.stored),
  };
  const density = densityOf(conversation, overheadBytes);
  const tokens = tokensOf([root, ...kept.messages], overheadBytes, density);
  const tokensAfter = Math.min(tokensBefore, Math.ceil(tokens));
  if (tokensAfter > facts.contextTokens - outputTokens) throw overflow(facts, outputTokens, tokensAfter);
  const next = await messageStore.storeCompacted(task, [root, ...kept.stored]);
  const shorter = await loadNumbered(messageStore, request, next);
  return fittedOf(request, next, shorter, [{ method, dropped, tokensBefore, tokensAfter }]);
}

async function loadNumbered(
  messageStore: Pick<MessageStore, 'load'>,
  { task }: FitRequest,
  head: MessageHead,
  loaded?: MessageChain,
): Promise<MessageChain> {
  const conversation = loaded ?? (await messageStore.load(task, head));
  return { ...conversation, messages: numberPassages(conversation.messages) };
}

const fittedOf = (
  { facts, overheadBytes }: FitRequest,
  head: MessageHead,
  conversation: MessageChain,
  compacted: Compacted[],
): Fitted => ({
  head,
  conversation,
  estimatedTokens: compacted.at(-1)?.tokensAfter ?? estimateChainTokens(conversation, overheadBytes),
  upperBoundTokens: maxChainTokens(conversation, facts.name, overheadBytes, facts.citations),
  compacted,
});

const tokensOf = (messages: Message[], overheadBytes: number, density: Density) =>
  density(totalMessageBytes(messages) + overheadBytes);

/**
 * @param options `room`: tokens that the shares are of
 * @returns undefined when nothing can be dropped or summarised
 */
function planCompaction(
  conversation: MessageChain,
  {
    room,
    tokensBefore,
    request: { overheadBytes, force = false },
  }: { room: number; tokensBefore: number; request: FitRequest },
): Compaction | undefined {
  const density = densityOf(conversation, overheadBytes);
  const size = (messages: Message[]) => tokensOf(messages, overheadBytes, density);
  const target = targetShare * room;
  const shorter = dropResults(conversation, (size(conversation.messages) - target) / density(1), density);
  const tokensShorter = size(shorter.messages);
  const [first] = conversation.messages;
  const earlierSummary = first?.role === 'compaction' ? first.summary : undefined;
  const dropping: Compaction | undefined =
    shorter.dropped === 0
      ? undefined
      : {
          conversation,
          tokensBefore,
          method: 'drop_tool_results',
          dropped: shorter.dropped,
          kept: { messages: shorter.messages.filter(isNoRoot), stored: shorter.stored.filter(isNoRoot) },
          summary: earlierSummary,
        };
  if (dropping && tokensShorter <= target) return dropping;

  const split = splitForSummary(conversation, tailShare * room, density);
  const maxTokens = Math.floor(Math.min(maxSummaryTokens, summaryShare * room));
  if (!split || size(split.kept.messages) + maxTokens >= tokensShorter) return dropping;
  const replaced = conversation.messages.slice(0, split.tail);
  // What the provider refused as too large must not be sent to it again to be summarised.
  const maxInputTokens = (force ? targetShare : fullShare) * room;
  const messages: Message[] =
    size(replaced) <= maxInputTokens
      ? replaced
      : [{ role: 'user', text: transcriptOf(replaced, maxInputTokens / density(1)) }];
  return {
    conversation,
    tokensBefore,
    method: 'summary',
    dropped: split.replaced,
    kept: split.kept,
    summary: earlierSummary,
    toSummarise: { messages, maxTokens, maxBytes: maxTokens / density(1) },
    // A conversation that stays too long would be summarised again at every step.
    dropping: tokensShorter <= fullShare * room ? dropping : undefined,
  };
}

const isNoRoot = ({ role }: { role: StoredMessage['role'] }) => role !== 'compaction';

/** Cuts a summary that is longer than requested, so that it does not make the conversation too long again. */
function truncate(text: string, maxBytes: number): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  return `${text.slice(0, Math.floor((text.length * maxBytes) / bytes)).toWellFormed()} … (cut off here)`;
}

const overflow = ({ name, contextTokens }: FitRequest['facts'], outputTokens: number, tokens: number) =>
  new AlfredError(
    'model_context_overflow',
    `The conversation takes about ${tokens} tokens and cannot be made shorter. ${name} has room for ${contextTokens}, ${outputTokens} of them for its answer: ask for less at once, lower ALFRED_MAX_OUTPUT_TOKENS or choose a model with a larger window.`,
  );

/** The provider's window is smaller than the one that it is called with. */
const refusedAsTooLong = ({ name, contextTokens }: FitRequest['facts'], tokens: number) =>
  new AlfredError(
    'model_context_overflow',
    `The provider of ${name} refused the conversation as too long, and it cannot be made shorter. It takes about ${tokens} tokens, and the window of ${name} is taken as ${contextTokens}: name its real window as contextTokens in ALFRED_MODELS, ask for less at once, or choose a model with a larger window.`,
  );
