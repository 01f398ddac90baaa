import type { JsonValue } from '../../contract/json.ts';
import { shorten } from './cut.ts';

/** `searching documents: expense report deadline`, as the command line shows it */
export function describeToolCall(tool: string, input: JsonValue): string {
  const fields = typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
  if (tool === 'search_documents' && typeof fields.query === 'string') return `searching documents: ${fields.query}`;
  if (tool === 'read_document') return 'reading a document';
  if (tool === 'run_code') return 'calculating';
  if (tool === 'set_plan') return 'planning';
  if (tool === 'delegate' && typeof fields.agent === 'string') return `asking ${fields.agent}`;
  return `${tool.replaceAll('_', ' ')}: ${shorten(JSON.stringify(input), 100)}`;
}
