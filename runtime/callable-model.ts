import type { ModelCatalog } from '../contract/ports/index.ts';

export type KnownModels = {
  catalog: Pick<ModelCatalog, 'factsOf'>;
  /** The configured providers, by name. */
  providers: Readonly<Record<string, unknown>>;
};

/**
 * Why a model cannot be called in this process.
 *
 * @param name `provider:model`
 * @returns undefined when it can: its provider is configured, and its price is known
 */
export function whyNotCallable(name: string, { catalog, providers }: KnownModels): string | undefined {
  const provider = name.slice(0, name.indexOf(':'));
  if (!Object.hasOwn(providers, provider)) return `"${name}" cannot be used: ${provider} is not configured.`;
  try {
    catalog.factsOf(name);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
