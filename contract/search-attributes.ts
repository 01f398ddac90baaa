/**
 * Temporal search attributes, so that a query like `AlfredCostUsd > 0.5` works in the UI. `registerSearchAttributes`
 * (runtime/temporal.ts) registers them at start.
 */
export const searchAttributeTypes = {
  AlfredAgent: 'KEYWORD',
  AlfredTenant: 'KEYWORD',
  AlfredStatus: 'KEYWORD',
  AlfredModel: 'KEYWORD',
  AlfredCostUsd: 'DOUBLE',
  AlfredTokens: 'INT',
} as const;
