import type { z } from 'zod';
import { ConversationEvent, conversationEventSchemas } from '../../contract/conversation.ts';
import { eventMeanings, type EventType } from '../../contract/event-meanings.ts';
import { TaskEvent } from '../../contract/events.ts';
import { IngestionEvent } from '../../contract/ingestion-events.ts';

/** `task.queued` → `TaskQueuedEvent` */
const nameOf = (type: string) =>
  `${type.replace(/(^|\W)(\w)/g, (_all, _dot, letter: string) => letter.toUpperCase())}Event`;

type EventSchema = z.ZodObject<{ type: z.ZodLiteral<string> }>;
const typeOf = (schema: EventSchema) => schema.shape.type.value as EventType;

const named = (schemas: readonly unknown[], prefix = '') =>
  (schemas as EventSchema[]).map((schema) => [prefix + nameOf(typeOf(schema)), schema] as const);

const ownTypes = conversationEventSchemas.map((schema) => schema.shape.type.value) as string[];
const ofTasks = (ConversationEvent.options as readonly unknown[]).filter(
  (schema) => !ownTypes.includes(typeOf(schema as EventSchema)),
);

/** Every event's schema by its name in the API document. In a conversation a task's event has two fields more. */
const events = [
  ...named(TaskEvent.options),
  ...named(conversationEventSchemas),
  ...named(ofTasks, 'Conversation'),
  ...named(IngestionEvent.options),
];
export const namedEvents: Record<string, z.ZodType> = Object.fromEntries(events);

/** The type of the event whose schema has this name in the API document. */
export const typesByName: Readonly<Record<string, EventType>> = Object.fromEntries(
  events.map(([name, schema]) => [name, typeOf(schema)]),
);

const meanings = new Map<unknown, string>(events.map(([, schema]) => [schema, eventMeanings[typeOf(schema)]]));
/** What an event says, if the schema is that of an event. */
export const meaningOf = (schema: z.core.$ZodType): string | undefined => meanings.get(schema);
