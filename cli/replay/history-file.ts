import { readFile } from 'node:fs/promises';
import { historyFromJSON, historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';
import { CliError, usageError } from '../cli-error.ts';

// A CommonJS module whose named exports Node cannot detect.
const { temporal } = proto;

export type { History };
type HistoryEvent = NonNullable<History['events']>[number];

/** A larger payload is probably content, where only a reference should be. */
const maxReferenceBytes = 4_096;

/**
 * Reads a history as JSON, in the form of `temporal workflow show -o json`, of a download from Temporal's Web UI, or of
 * `alfred history export`.
 *
 * @throws CliError that names the file and what is wrong with it
 */
export async function readHistory(file: string): Promise<History> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const reason =
      error instanceof SyntaxError
        ? `is not JSON: ${error.message}`
        : `cannot be read: ${(error as NodeJS.ErrnoException).code}`;
    throw usageError(`${file} ${reason}`);
  }
  return parseHistory(parsed, file);
}

/** @param name of the file, for error messages */
function parseHistory(parsed: unknown, name: string): History {
  const outer = Array.isArray(parsed)
    ? { events: parsed as unknown[] }
    : (parsed as { events?: unknown; history?: unknown } | null);
  const inner =
    outer && typeof outer === 'object' && 'history' in outer ? (outer.history as { events?: unknown }) : outer;
  if (!inner || !Array.isArray(inner.events) || inner.events.length === 0) {
    throw usageError(
      `${name} is not a workflow history (expected {"events": [ … ]}, as \`temporal workflow show -o json\` and \`alfred history export\` write it)`,
    );
  }
  try {
    return historyFromJSON(inner);
  } catch (error) {
    throw new CliError(
      `${name} is not a workflow history: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`,
      { cause: error },
    );
  }
}

export const historyJson = (history: History): string =>
  `${JSON.stringify(JSON.parse(historyToJSON(history)), null, 1)}\n`;

/** The size as protobuf, which Temporal's limits refer to. */
export const historyBytes = (history: History): number =>
  temporal.api.history.v1.History.encode(history).finish().length;

export const workflowTypeOf = (history: History): string => startOf(history)?.workflowType?.name ?? 'workflow';

const startOf = ({ events }: History) => events?.[0]?.workflowExecutionStartedEventAttributes;

/** `5 ActivityTaskScheduled` */
export const eventName = (event: HistoryEvent): string => `${String(event.eventId)} ${typeName(event)}`;

export function typeName({ eventType }: HistoryEvent): string {
  const name =
    typeof eventType === 'number'
      ? (temporal.api.enums.v1.EventType[eventType] ?? String(eventType))
      : String(eventType);
  return name
    .replace(/^EVENT_TYPE_/, '')
    .toLowerCase()
    .replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}

/** Payloads that are too large for references, with the event that carries each. */
export function largePayloads(history: History): { event: string; bytes: number }[] {
  return (history.events ?? []).flatMap((event) =>
    payloadSizes(event)
      .filter((size) => size > maxReferenceBytes)
      .map((size) => ({ event: eventName(event), bytes: size })),
  );
}

function payloadSizes(value: unknown): number[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const { metadata, data } = value as { metadata?: unknown; data?: unknown };
  if (metadata && data instanceof Uint8Array) return [data.length];
  return Object.values(value).flatMap(payloadSizes);
}
