import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ModelRequest } from '../../../contract/ports/index.ts';
import { collectResponse, completeResponse, inspectTool, requestOf } from '../../support/providers/collect-response.ts';
import { scriptedProviders, type ScriptedProvider } from '../../support/providers/scripted-providers.ts';
import type { ScriptedResponse } from '../../support/providers/scripted-turns.ts';

/**
 * Starts a scripted provider before the tests of a `describe` block and stops it after them.
 *
 * @returns `testScripted` and `testHttp`: `test`, or `test.skip` for a provider that cannot be scripted or uses no HTTP
 */
export function setUpScriptedProvider({ capabilities, start }: (typeof scriptedProviders)[number]) {
  const isHttp = capabilities.includes('http');
  let provider: ScriptedProvider;
  beforeAll(async () => {
    if (capabilities.length > 0) provider = await start();
  });
  afterAll(() => provider?.server.close());

  const request = (changes: Partial<ModelRequest> = {}) =>
    requestOf({ model: provider.model, tools: [inspectTool], ...changes });
  return {
    testScripted: capabilities.includes('script') ? test : test.skip,
    testHttp: isHttp ? test : test.skip,
    provider: () => provider,
    request,
    /** The id of a stored call: that of the script, or a generated one if the protocol sends none. */
    storedId: (id: string): unknown => (isHttp ? id : expect.stringMatching(/./)),
    /** Scripts a response and returns it complete. */
    complete: (response: ScriptedResponse) => {
      provider.respondWith(response);
      return completeResponse(provider.create(), request());
    },
    /** Scripts a response and returns what was received of it, with the error that ended it. */
    collect: (response: ScriptedResponse, options?: { idleMs: number }) => {
      provider.respondWith(response);
      return collectResponse(provider.create(options), request());
    },
  };
}
