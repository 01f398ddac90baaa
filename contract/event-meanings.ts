import type { OwnConversationEvent } from './conversation.ts';
import type { TaskEvent } from './events.ts';
import type { IngestionEvent } from './ingestion-events.ts';

export type EventType = TaskEvent['type'] | OwnConversationEvent['type'] | IngestionEvent['type'];

/** What each event says, in a sentence, for the API document and the reference page. */
export const eventMeanings: Record<EventType, string> = {
  'task.queued': 'The task is stored and waits for a worker.',
  'task.started': 'A worker has begun the task. `model` is the model that it begins with.',
  'model.started': 'A model call begins. It makes the text of earlier attempts at the same step void.',
  'text.delta': 'A piece of the answer’s text. It belongs to one attempt of one step.',
  'model.completed': 'A model call has ended, with what it used and why it stopped.',
  'model.failed': 'A model call has failed. `willRetry` says whether another attempt follows.',
  'model.fallback': 'The next model of the chain takes over, because the one before does not answer.',
  'model.corrected': 'The model’s answer had a fault, and the model was asked to mend it.',
  'context.compacted': 'The conversation was too long for the model and has been shortened.',
  'tool.started': 'A tool call begins.',
  'tool.completed': 'A tool call has ended. `isError` says whether it failed.',
  'artifact.created': 'The tool call has made a file. `GET /v1/tasks/{id}/artifacts/{artifactId}` hands it out.',
  'approval.requested': 'A tool call waits for a person’s decision.',
  'approval.escalated': 'Further people may decide the approval.',
  'approval.decided': 'The approval is decided. `runs` says whether the call runs.',
  'message.steered': 'A message reached the task while it was running. The next step reads it.',
  'effect.undone': 'An effect of the task was undone, or could not be.',
  'memory.used':
    'The agent was given these memories of the person, or of groups of the person. `GET /v1/memories/{id}` has the text.',
  'plan.changed': 'The agent has written or changed its plan. `items` is the whole plan.',
  'delegation.started': 'Another agent works on a part of the request, in a task of its own.',
  'delegation.ended': 'A delegated task has ended, with its status and its own usage.',
  'remote.progress':
    'An agent that works elsewhere says how far it is. `goes_on`: the task was cancelled here, and the agent may go on there.',
  'task.waiting': 'The task waits: for a budget, an approval, a model provider or a part of Alfred.',
  'task.resumed': 'The task goes on after a wait, or after a reset in Temporal.',
  'budget.granted': 'A person has changed the limits of the task.',
  'task.completed': 'The task has ended with an answer.',
  'task.incomplete': 'The task has ended at its budget without an answer. `result` holds what there was.',
  'task.failed': 'The task has ended with an error.',
  'task.cancelled': 'The task was cancelled.',
  'conversation.message': 'The conversation has taken a message and decided what becomes of it.',
  'conversation.turn': 'The state of a message has changed.',
  'conversation.stopped': 'A person has stopped what ran in the conversation.',
  'conversation.changed':
    'The title, the archive mark, the policy for a busy conversation or the agent has changed: a person has, or an agent has handed the conversation over.',
  'conversation.deleted': 'The conversation was deleted. No event follows.',
  'ingestion.queued': 'The files of the upload are stored and wait to be read.',
  'file.read': 'A file was read. Its document can be found.',
  'file.failed': 'A file could not be read.',
  'ingestion.completed': 'The upload has ended. `outcome` says whether its files were read.',
  'ingestion.failed': 'The work on the upload broke off.',
  'ingestion.cancelled': 'The upload was cancelled.',
};
