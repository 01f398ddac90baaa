// Apart from the tools, because doors read the names and need no tool: with their libraries tools take long to load.

/** The names of all tools that agents share, also of those that are not configured here. */
export const toolNames: readonly string[] = [
  'search_documents',
  'read_document',
  'read_result',
  'run_code',
  'find_contacts',
  'delegate',
  'set_plan',
  'ask_person',
  'hand_over',
  'remember',
  'forget',
  'analyse_trends',
  'monitor_sources',
  'analyse_sentiment',
  'scout_niches',
  'draw_blueprint',
  'calculate_tax',
  'show_rates',
  'analyse_statements',
  'check_transactions',
  'audit_compliance',
  'analyse_document',
  'check_regulation',
  'review_contract',
  'send_webhook',
  'send_email',
];

/** Those of them that change something. */
export const actingToolNames: readonly string[] = ['remember', 'forget', 'send_webhook', 'send_email'];

/** Those of these that need no approval rule. */
export const noteToolNames: readonly string[] = ['remember', 'forget'];
