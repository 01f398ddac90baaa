import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { ApiClient } from '../../cli/client/api-client.ts';
import { watchContacts, type WatchedFile } from '../../cli/client/watch-contacts.ts';

test.each(['failed', 'cancelled'])(
  'a file whose upload is %s is sorted out, with what is left of it',
  async (status) => {
    const folder = await mkdtemp(join(tmpdir(), 'alfred-watch-'));
    try {
      await writeFile(join(folder, 'a.csv'), 'email\na@example.com\n');
      const counts = { pending: 1, added: 1, merged: 0, unchanged: 0, rejected: 0 };
      const api = { call: async () => ({ id: 'u1', status, lines: 2, counts }) } as unknown as ApiClient;
      const found: WatchedFile[] = [];
      await watchContacts(api, folder, {
        everyMs: 1,
        once: true,
        onFile: (file) => found.push(file),
        onOutage: (error) => {
          throw error;
        },
        signal: new AbortController().signal,
      });
      const error = expect.stringContaining(`The upload u1 is ${status}: 1 of 2 lines were not stored.`);
      expect(found).toEqual([{ file: 'a.csv', error }]);
      expect(await readdir(join(folder, 'done'))).toEqual([]);
      expect((await readdir(join(folder, 'failed'))).sort()).toEqual(['a-u1.csv', 'a-u1.csv.reason.txt']);
      expect(await readFile(join(folder, 'failed', 'a-u1.csv.reason.txt'), 'utf8')).toEqual(error);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
