/** A node of a plan that Postgres explains as JSON. */
export type PlanNode = { 'Node Type': string; 'Relation Name'?: string; 'Index Name'?: string; Plans?: PlanNode[] };
/** The tables that a plan reads from begin to end. */
export const scansOf = (node: PlanNode | undefined): string[] =>
  node === undefined
    ? []
    : [
        ...(node['Node Type'] === 'Seq Scan' && node['Relation Name'] ? [node['Relation Name']] : []),
        ...(node.Plans ?? []).flatMap(scansOf),
      ];

/** The tables that a plan reads. */
export const tablesOf = (node: PlanNode | undefined): string[] =>
  node === undefined ? [] : [node['Relation Name'] ?? [], ...(node.Plans ?? []).map(tablesOf)].flat();

/** The indexes that a plan reads. */
export const indexesOf = (node: PlanNode | undefined): string[] =>
  node === undefined ? [] : [node['Index Name'] ?? [], ...(node.Plans ?? []).map(indexesOf)].flat();
