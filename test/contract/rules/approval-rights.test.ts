import { expect, test } from '@jest/globals';
import { explainRefusal } from '../../../contract/rules/approval-rights.ts';
import { person } from '../../support/principals.ts';

test('with four eyes neither an API key decides, nor who made the key that asked', () => {
  const key = person('key:1', { via: 'api_key' });
  const rule = { requester: 'ada', approvers: {}, fourEyes: true };
  expect(explainRefusal(rule, person('ada'))).toMatch('Another person');
  expect(explainRefusal(rule, key)).toMatch('not an API key');
  expect(explainRefusal(rule, person('ben'))).toBeUndefined();
  const askedByKey = { ...rule, requester: 'key:1', keyCreator: 'ada' };
  expect(explainRefusal(askedByKey, person('ada'))).toMatch('Another person');
  expect(explainRefusal(askedByKey, key)).toMatch('Another person');
  expect(explainRefusal(askedByKey, person('ben'))).toBeUndefined();
  // Without four eyes the requester may decide, and so may a key.
  expect(explainRefusal({ ...askedByKey, fourEyes: false }, person('ada'))).toBeUndefined();
  expect(explainRefusal({ ...rule, fourEyes: false }, key)).toBeUndefined();
});
