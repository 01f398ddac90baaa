export { AlfredError, type AlfredErrorCode, type ClientErrorCode } from './alfred-error.ts';
export type { AnsweredTask, AskOptions, Question } from './ask.ts';
export { createAlfred, type Alfred } from './create-alfred.ts';
export type { FollowOptions } from './follow.ts';
export type { Answer, CallOptions, ItemOf, ListRoute, RequestOptions, Route } from './routes.ts';
export type {
  ConversationEvent,
  Ingestion,
  IngestionEvent,
  Problem,
  Schemas,
  Task,
  TaskEvent,
  TaskRequest,
  TaskResult,
} from './schemas.ts';
export type { AlfredOptions } from './server.ts';
export type { FileToUpload, UploadOptions } from './upload.ts';
export type { WaitOptions } from './wait.ts';
export { verifyWebhook, type SignedRequest, type VerifyOptions, type Webhook } from './webhook.ts';
