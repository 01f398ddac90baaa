import type { Message } from '../../contract/ports/index.ts';

type Spoken = Extract<Message, { role: 'user' | 'compaction' }>;

/** What a message that no model wrote says to the model; undefined when it is nothing. */
export function userWords(message: Spoken): string | undefined {
  if (message.role === 'compaction')
    return message.summary === undefined ? undefined : `Summary of the conversation so far:\n\n${message.summary}`;
  const { text, tool } = message;
  if (!tool) return text;
  return `${text}\n\nBegin with the tool ${tool.name} and these arguments: ${JSON.stringify(tool.arguments)}`;
}
