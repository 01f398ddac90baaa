import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { manifests, manifestYaml } from '../../../deploy/slack/manifest.ts';
import { appManifest, appManifestWithEmail, botScopes } from '../../../slack/app-manifest.ts';

it.each(Object.entries(manifests))('%s is that of the code; else run `npm run slack:manifest`', (path, manifest) => {
  expect(readFileSync(path, 'utf8')).toBe(manifestYaml(manifest));
  expect(parse(manifestYaml(manifest))).toEqual(manifest);
});

it('the scope for addresses is asked for where links are made by them, and nowhere else', () => {
  expect(appManifest.oauth_config.scopes.bot).not.toContain('users:read.email');
  expect(appManifestWithEmail.oauth_config.scopes.bot).toEqual([...botScopes, 'users:read.email']);
});
