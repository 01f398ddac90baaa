import { Question } from '../../../contract/delegation.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { typedTool } from '../typed-tool.ts';

/**
 * Asks the person who asked. The call ends the task with the question as its answer (`activities/model/question-in`):
 * nothing waits, and the next message of the conversation goes on. It runs only beside other calls, which it may not.
 */
export const askPersonTool = typedTool({
  name: 'ask_person',
  description:
    'Asks the person a question, when the request can be taken in ways that lead to different work, or lacks something that no document and no agent knows. It ends your work: the answer comes as the next message. Call it alone, and ask everything that is open at once.',
  input: Question,
  run: () =>
    Promise.reject(
      new AlfredError('invalid_request', 'ask_person ends your work, so call it alone, without other calls.'),
    ),
});
