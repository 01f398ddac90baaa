import { HandOver } from '../../../contract/delegation.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { typedTool } from '../typed-tool.ts';

/**
 * Hands the conversation over to another agent. The call ends the task with words for the person as its answer
 * (`activities/model/hand-over-in`). It runs only where it may not: beside other calls, outside of a conversation, or
 * with an agent that cannot take over.
 */
export const handOverTool = typedTool({
  name: 'hand_over',
  description:
    'Hands the conversation over to another agent, which reads all of it and answers from the next message of the person on. Only when the person wants to go on with that agent, or everything that follows is its work: for one part of a request delegate. It ends your work, so call it alone.',
  input: HandOver,
  run: () =>
    Promise.reject(
      new AlfredError(
        'invalid_request',
        'Nothing was handed over. Call hand_over alone, in a conversation with a person, with one of the agents that it names. Otherwise answer yourself, or delegate.',
      ),
    ),
});
