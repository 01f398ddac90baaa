import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { manifestPath, manifestYaml } from '../../../deploy/slack/manifest.ts';
import { appManifest } from '../../../slack/app-manifest.ts';

it('the manifest of the Slack app is that of the code; else run `npm run slack:manifest`', () => {
  expect(readFileSync(manifestPath, 'utf8')).toBe(manifestYaml());
  expect(parse(manifestYaml())).toEqual(appManifest);
});
