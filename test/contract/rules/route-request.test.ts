import { describe, expect, test } from '@jest/globals';
import { routeRequest } from '../../../contract/rules/route-request.ts';

const agents = [
  {
    name: 'knowledge',
    description: 'Answers questions from your documents. For example: What does the contract say about notice?',
  },
  { name: 'tax', description: 'Computes income taxes of states. For example: What would we owe in Texas?' },
  { name: 'mailer', description: 'Sends emails after your approval. For example: Send an email to the supplier' },
];

describe('routing without a model', () => {
  test.each([
    ['Send an email to Ann', 'mailer'],
    ['What do we owe in Texas on 180,000 USD?', 'tax'],
    ['Which notice does our contractor agreement have?', 'knowledge'],
  ])('%s goes to %s, whole', (text, agent) => {
    expect(routeRequest(text, agents)).toEqual([{ agent, request: text }]);
  });

  test('two parts for two agents are parted', () => {
    expect(routeRequest('Compute the taxes that we owe in Texas, and send an email to Ann.', agents)).toEqual([
      { agent: 'tax', request: 'Compute the taxes that we owe in Texas' },
      { agent: 'mailer', request: 'send an email to Ann.' },
    ]);
  });

  test('two parts for one agent stay one request', () => {
    const text = 'What do we owe in Texas and what do we owe in Ohio?';
    expect(routeRequest(text, agents)).toEqual([{ agent: 'tax', request: text }]);
  });

  test('a part without a word of any agent belongs to the part before it', () => {
    expect(routeRequest('Send an email to Ann and Bob. What do we owe in Texas?', agents)).toEqual([
      { agent: 'mailer', request: 'Send an email to Ann and Bob.' },
      { agent: 'tax', request: 'What do we owe in Texas?' },
    ]);
  });

  test.each(['Hello', 'How long is the Nile?', ''])('%j is routed to no agent', (text) => {
    expect(routeRequest(text, agents)).toEqual([]);
  });
});
