import { expect, test } from '@jest/globals';
import { PlacementQuery } from '../../contract/documents.ts';
import { SourceChange } from '../../contract/sources.ts';

test('no upload and no source puts documents among the files of Slack', () => {
  expect(PlacementQuery.safeParse({ collection: 'slack' }).error?.issues[0]?.message).toContain('name another');
  expect(SourceChange.safeParse({ collection: 'slack' }).success).toBe(false);
  expect(PlacementQuery.parse({})).toMatchObject({ collection: 'default' });
  expect(PlacementQuery.parse({ collection: 'slack-notes' })).toMatchObject({ collection: 'slack-notes' });
});
