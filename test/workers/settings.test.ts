import { expect, test } from '@jest/globals';
import type { ModelCatalog, ModelProvider, Tenants } from '../../contract/ports/index.ts';
import { loadConfig } from '../../runtime/config.ts';
import { settingsOf } from '../../workers/settings.ts';

const windows: Record<string, number> = { 'scripted:large': 200_000, 'scripted:small': 16_000 };

test('the longest result that a model gets whole follows the model that the tenant has chosen', () => {
  const config = loadConfig({
    DATABASE_URL: 'postgres://localhost/none',
    ALFRED_MODEL: 'scripted:large',
    ALFRED_MODELS: '{"scripted:small": {"output": 100}}',
  });
  const catalog = { factsOf: (name: string) => ({ contextTokens: windows[name] }) } as unknown as ModelCatalog;
  const providers = { scripted: {} as ModelProvider };
  const { resultCharactersOf } = settingsOf(config, { catalog, providers, tenants: {} as Tenants });
  expect(resultCharactersOf('knowledge', undefined)).toBe(60_000);
  expect(resultCharactersOf('knowledge', { model: 'scripted:small' })).toBe(12_800);
});
