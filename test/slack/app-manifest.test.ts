import { globSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { appManifest, botEvents, botMethods, botScopes } from '../../slack/app-manifest.ts';
import { askAboutShortcutId } from '../../slack/rendering/actions.ts';

const sources = globSync('slack/**/*.ts', { exclude: ['slack/app-manifest.ts', 'slack/api-calls/method-limits.ts'] })
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');
const found = (pattern: RegExp) => [...new Set([...sources.matchAll(pattern)].map(([, name]) => name!))].sort();

it('has the events that Alfred listens to', () => {
  const listened = found(/\.event\('([a-z_]+)'/g);
  expect([...new Set(botEvents.map((event) => event.split('.')[0]))].sort()).toEqual(listened);
});

it('has the shortcuts that Alfred listens to', () => {
  expect(found(/\.shortcut\((\w+)/g)).toEqual(['askAboutShortcutId']);
  expect(appManifest.features.shortcuts.map(({ callback_id: id }) => id)).toEqual([askAboutShortcutId]);
});

it('has the scopes of the methods that Alfred calls', () => {
  const called = found(
    /'((?:apps|assistant|auth|bots|chat|conversations|files|reactions|team|users|views)\.[A-Za-z.]+)'/g,
  );
  expect(botMethods.toSorted()).toEqual(called);
  expect(botScopes).toEqual(botScopes.toSorted());
});

it('keeps within the lengths that Slack takes', () => {
  const { display_information: information, features } = appManifest;
  expect(information.name.length).toBeLessThanOrEqual(35);
  expect(information.description.length).toBeLessThanOrEqual(140);
  for (const { name, callback_id: id, description } of features.shortcuts) {
    expect(name.length).toBeLessThanOrEqual(24);
    expect(id.length).toBeLessThanOrEqual(255);
    expect(description.length).toBeLessThanOrEqual(150);
  }
  expect(features.agent_view.agent_description.length).toBeLessThanOrEqual(300);
});
