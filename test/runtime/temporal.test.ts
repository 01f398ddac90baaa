import { expect, test } from '@jest/globals';
import { ServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { isTemporalUnavailable } from '../../runtime/temporal.ts';

const grpc = (code: number, details = '') =>
  new ServiceError('Workflow Update failed', { cause: Object.assign(new Error(details), { code, details }) });

test.each([
  ['a deadline', grpc(4)],
  ['a connection that broke', grpc(2, 'transport error')],
  ['an update that no worker answered in time', new WorkflowUpdateRPCTimeoutOrCancelledError('Timeout expired')],
  [
    'an update of a workflow that has just lost its worker',
    grpc(9, 'Unable to perform workflow execution update due to Workflow Task in failed state.'),
  ],
])('%s is worth repeating', (_, error) => {
  expect(isTemporalUnavailable(error)).toBe(true);
});

test.each([
  ['another failed precondition', grpc(9, 'query is not registered')],
  ['an unknown error', grpc(2, 'panic')],
  ['an invalid argument', grpc(3)],
  ['a defect of ours', new TypeError('x is not a function')],
])('%s is not', (_, error) => {
  expect(isTemporalUnavailable(error)).toBe(false);
});
