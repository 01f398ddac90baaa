import type {
  AgentSettingsList,
  AgentSettingsListQuery,
  AgentSettingsVersion,
  OwnAgentSettings,
} from '../agent-settings.ts';
import type { Scope } from '../references.ts';

/** Which version of what. */
export type AgentOfTenant = { tenant: string; agent: string };

/** What tenants have set for agents, in versions that do not change. A change counts everywhere within five seconds. */
export interface TenantAgents {
  /** Reads a version, by default the newest. */
  get(of: AgentOfTenant, version?: number): Promise<AgentSettingsVersion | undefined>;

  /** Lists versions, newest first. */
  list(of: AgentOfTenant, query: AgentSettingsListQuery): Promise<AgentSettingsList>;

  /**
   * Stores a new version. Idempotent: what is set already makes none.
   *
   * @param change `restores`: the version that it brings back; `basedOn`: the version that the sender has read
   * @returns undefined when the tenant has set nothing and still sets nothing
   * @throws AlfredError `settings_changed` when another version is the newest
   */
  set(
    by: Scope,
    agent: string,
    change: {
      settings: OwnAgentSettings;
      note: string;
      restores?: number | undefined;
      basedOn?: number | undefined;
    },
  ): Promise<AgentSettingsVersion | undefined>;

  /** Those of the roles that a person or service of the tenant had at its newest sign-in. */
  listKnownRoles(tenant: string, roles: readonly string[]): Promise<string[]>;
}
