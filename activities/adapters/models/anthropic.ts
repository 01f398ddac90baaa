import Anthropic, { APIError, APIUserAbortError } from '@anthropic-ai/sdk';
import { linkAbort } from '../../../runtime/linked-abort.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { AssistantPart } from '../../../contract/messages.ts';
import type { Message, ModelEvent, ModelProvider, ModelRequest, StopReason } from '../../ports.ts';
import { anthropicPrice, type Price } from './anthropic-prices.ts';
import { providerError } from './provider-errors.ts';

type Options = {
  apiKey: string;
  baseUrl: string;
  /** For models the price table lacks. */
  price?: Price | undefined;
};

/** Longest silence in a stream before the call is given up, in milliseconds. Long, because the SDK does not show the pings that Anthropic sends while a model thinks, and because a call that is given up is paid for. */
const idleMs = 8 * 60_000;

/** Claude by the official SDK, whose own retries are off: Temporal retries. */
export function createAnthropicProvider({ apiKey, baseUrl, price: configured }: Options): ModelProvider {
  const client = new Anthropic({ apiKey, baseURL: baseUrl, maxRetries: 0 });
  return {
    name: 'anthropic',

    price(model, { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }) {
      const price = configured ?? anthropicPrice(model);
      if (!price)
        throw new AlfredError(
          'model_unconfigured',
          `There is no price for "${model}": set ALFRED_MODEL_PRICE, like 2/10.`,
        );
      const perMillion =
        inputTokens * price.input +
        cacheReadTokens * price.cacheRead +
        cacheWriteTokens * price.cacheWrite +
        outputTokens * price.output;
      return perMillion / 1_000_000;
    },

    async *stream(request, signal): AsyncIterable<ModelEvent> {
      const idle = new AbortController();
      const either = linkAbort([signal, idle.signal]);
      const watchdog = setTimeout(() => idle.abort(), idleMs);
      try {
        const stream = client.messages.stream(parametersOf(request), {
          signal: either.signal,
        });
        let ended = false;
        for await (const event of stream) {
          watchdog.refresh();
          if (event.type === 'message_start' || event.type === 'message_delta') yield usageOf(stream.currentMessage);
          if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
            yield { type: 'text', text: event.delta.text };
          if (event.type === 'message_stop') ended = true;
        }
        if (!ended) throw providerError('anthropic', { message: 'the stream ended early' });
        const message = await stream.finalMessage();
        yield usageOf(message);
        yield { type: 'end', parts: message.content.map(partOf), stopReason: stopReasonOf(message.stop_reason) };
      } catch (error) {
        if (signal.aborted) throw error;
        throw mapped(error);
      } finally {
        clearTimeout(watchdog);
        either.release();
      }
    },
  };
}

function mapped(error: unknown): unknown {
  if (error instanceof AlfredError) return error;
  if (error instanceof APIUserAbortError)
    return providerError('anthropic', { message: `silent for ${idleMs / 1_000} s` }, error);
  if (!(error instanceof APIError)) return providerError('anthropic', { message: 'the stream broke off' }, error);
  const { status, type, headers, message } = error as APIError;
  return providerError('anthropic', { status, type: type ?? undefined, headers, message }, error);
}

function parametersOf({
  model,
  instructions,
  messages,
  tools,
  maxOutputTokens,
}: ModelRequest): Anthropic.MessageStreamParams {
  const conversation = messages.map(messageOf);
  // The prefix up to the last message is read from the cache on the next turn.
  const last = conversation.at(-1)?.content.at(-1);
  if (last && 'cache_control' in last === false && last.type !== 'thinking' && last.type !== 'redacted_thinking') {
    Object.assign(last, { cache_control: { type: 'ephemeral' } });
  }
  return {
    model,
    max_tokens: maxOutputTokens,
    system: [{ type: 'text', text: instructions, cache_control: { type: 'ephemeral' } }],
    messages: conversation,
    tools: tools.map(({ name, description, inputSchema }) => ({
      name,
      description,
      input_schema: inputSchema as Anthropic.Tool.InputSchema,
    })),
  };
}

type Turn = { role: 'user' | 'assistant'; content: Anthropic.ContentBlockParam[] };

function messageOf(message: Message): Turn {
  switch (message.role) {
    case 'user':
      return {
        role: 'user',
        content: [
          {
            type: 'text',
            text: message.tool
              ? `${message.text}\n\nBegin with the tool ${message.tool.name} and these arguments: ${JSON.stringify(message.tool.arguments)}`
              : message.text,
          },
        ],
      };
    case 'assistant':
      return { role: 'assistant', content: message.parts.flatMap(blockOf) };
    case 'tool':
      return {
        role: 'user',
        content: message.results.map(({ callId, output, isError }) => ({
          type: 'tool_result',
          tool_use_id: callId,
          is_error: isError,
          content: typeof output === 'string' ? output : JSON.stringify(output),
        })),
      };
  }
}

function blockOf(part: AssistantPart): Anthropic.ContentBlockParam[] {
  switch (part.type) {
    case 'text':
      return part.text.trim() ? [{ type: 'text', text: part.text }] : [];
    case 'tool_call':
      return [{ type: 'tool_use', id: part.callId, name: part.tool, input: part.arguments }];
    case 'opaque':
      return part.provider === 'anthropic' ? [part.value as unknown as Anthropic.ContentBlockParam] : [];
  }
}

function partOf(block: Anthropic.ContentBlock): AssistantPart {
  if (block.type === 'text') return { type: 'text', text: block.text };
  if (block.type === 'tool_use')
    return { type: 'tool_call', callId: block.id, tool: block.name, arguments: block.input as JsonValue };
  // Thinking must go back exactly as it came.
  return { type: 'opaque', provider: 'anthropic', value: JSON.parse(JSON.stringify(block)) as JsonValue };
}

function stopReasonOf(reason: Anthropic.StopReason | null): StopReason {
  if (reason === 'tool_use') return 'tools';
  if (reason === 'max_tokens') return 'max_tokens';
  if (reason === 'refusal') return 'refusal';
  if (reason === 'model_context_window_exceeded') throw new AlfredError('model_context_overflow');
  return 'end';
}

function usageOf(message: Anthropic.Message | undefined): ModelEvent {
  const usage = message?.usage;
  return {
    type: 'usage',
    usage: {
      inputTokens: usage?.input_tokens ?? 0,
      cacheReadTokens: usage?.cache_read_input_tokens ?? 0,
      cacheWriteTokens: usage?.cache_creation_input_tokens ?? 0,
      outputTokens: usage?.output_tokens ?? 0,
    },
  };
}
