import { expect } from '@jest/globals';
import { createAdapterEnvironment } from '../environment/adapter-environment.ts';
import { putPolicies } from './put-policies.ts';

/** A test environment with the product's adapters, in which the example policies are stored. */
export async function createPolicyEnvironment() {
  const env = await createAdapterEnvironment();
  for (const outcome of await putPolicies(env.adapters)) expect(outcome).toMatchObject({ state: 'added' });
  return env;
}
