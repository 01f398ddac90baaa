import type { components } from './api-types.ts';

/** Every named schema of the API, like `Schemas['Task']`. */
export type Schemas = components['schemas'];

export type Task = Schemas['Task'];
export type TaskRequest = Schemas['TaskRequest'];
export type TaskResult = Schemas['TaskResult'];
export type TaskEvent = Schemas['TaskEvent'];
export type ConversationEvent = Schemas['ConversationEvent'];
export type Ingestion = Schemas['Ingestion'];
export type IngestionEvent = Schemas['IngestionEvent'];
export type Problem = Schemas['Problem'];
