/** Temporal search attributes, so that `AlfredCostUsd > 0.5` works in the UI. Registered at start, see runtime/temporal.ts. */
export const searchAttributeTypes = {
  AlfredAgent: 'KEYWORD',
  AlfredTenant: 'KEYWORD',
  AlfredStatus: 'KEYWORD',
  AlfredModel: 'KEYWORD',
  AlfredCostUsd: 'DOUBLE',
  AlfredTokens: 'INT',
} as const;
