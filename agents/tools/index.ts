import type { Config } from '../../runtime/config.ts';
import type {
  Contacts,
  Documents,
  Memories,
  MailTransport,
  McpTools,
  MessageStore,
  Sandbox,
  SearchIndex,
  Social,
  SocialWatches,
  SheetReader,
  Tasks,
  Tool,
  Webhooks,
} from '../../contract/ports/index.ts';
import { createSocialIntelTools } from '../social-intel/tools/index.ts';
import { createFinancialTools } from '../financial/tools/index.ts';
import { createLegalTools } from '../legal/tools/index.ts';
import { sendEmailTool } from './acting/send-email.ts';
import { sendWebhookTool } from './acting/send-webhook.ts';
import { findContactsTool } from './contacts/find-contacts.ts';
import { readDocumentTool } from './documents/read-document.ts';
import { searchDocumentsTool } from './documents/search-documents.ts';
import { createMcpTools } from './mcp/mcp-tools.ts';
import { forgetTool } from './memories/forget.ts';
import { rememberTool } from './memories/remember.ts';
import { askPersonTool } from './orchestration/ask-person.ts';
import { delegateTool } from './orchestration/delegate.ts';
import { handOverTool } from './orchestration/hand-over.ts';
import { setPlanTool } from './orchestration/set-plan.ts';
import { readResultTool } from './read-result.ts';
import { runCodeTool } from './run-code.ts';

type ToolPorts = ActingPorts & {
  index: Pick<SearchIndex, 'search'>;
  contacts: Pick<Contacts, 'list'>;
  tasks: Pick<Tasks, 'getCurrentRoles'>;
  documents: Pick<Documents, 'read' | 'readOriginal' | 'findByName'>;
  sheets: SheetReader;
  memories: Pick<Memories, 'create' | 'delete'>;
  messageStore: Pick<MessageStore, 'findToolResult'>;
  sandbox: Sandbox;
  social: Social;
  socialWatches: SocialWatches;
  /** Absent where tools of MCP servers are not called. */
  mcp?: McpTools | undefined;
};

type ActingPorts = {
  webhooks: Webhooks;
  /** Absent when no mail server is configured. */
  mail?: MailTransport | undefined;
};

type ActingConfig = Pick<
  Config,
  'ALFRED_WEBHOOK_SECRET' | 'ALFRED_WEBHOOK_HOSTS' | 'ALFRED_MAIL_FROM' | 'ALFRED_MAIL_DOMAINS'
>;

type ToolConfig = ActingConfig & Partial<Pick<Config, 'ALFRED_MCP_SERVERS'>>;

/**
 * Every tool that several agents share, by name. An agent may use those that its `tools` names, and `read_result` after
 * a shortened result.
 */
export function createTools(config: ToolConfig, ports: ToolPorts): Record<string, Tool> {
  const tools = [
    searchDocumentsTool(ports.index),
    readDocumentTool(ports.documents),
    readResultTool(ports.messageStore),
    runCodeTool(ports.sandbox),
    findContactsTool(ports),
    delegateTool,
    setPlanTool,
    askPersonTool,
    handOverTool,
    rememberTool(ports.memories),
    forgetTool(ports.memories),
    ...createSocialIntelTools({ social: ports.social, watches: ports.socialWatches }),
    ...createFinancialTools(ports),
    ...createLegalTools(ports),
    ...createActingTools(config, ports),
    ...(ports.mcp ? createMcpTools(config.ALFRED_MCP_SERVERS, ports.mcp) : []),
  ];
  return Object.fromEntries(tools.map((tool) => [tool.name, tool]));
}

/** The tools that change something outside Alfred, as far as they are configured. */
export function createActingTools(config: ActingConfig, { webhooks, mail }: ActingPorts): Tool[] {
  const {
    ALFRED_WEBHOOK_SECRET: secret,
    ALFRED_WEBHOOK_HOSTS: hosts,
    ALFRED_MAIL_FROM: from,
    ALFRED_MAIL_DOMAINS: domains,
  } = config;
  return [
    ...(secret ? [sendWebhookTool(webhooks, { secret, hosts })] : []),
    ...(mail && from ? [sendEmailTool(mail, { from, domains })] : []),
  ];
}
