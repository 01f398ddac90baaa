import { z } from 'zod';
import { localBaseUrl, localModelServers, type LocalProvider } from '../local-model-servers.ts';
import { AgentsSettings, jsonVariable, ModelChain, ModelOverrides, TenantsSettings } from '../settings-schemas.ts';
import { milliseconds, url } from './values.ts';

const localUrl = (provider: LocalProvider) =>
  url(/^https?:$/, 'http://host:port/v1').default(localBaseUrl(localModelServers[provider].port));

/** Variables for models: their keys, limits and behaviour in outages. */
export const models = {
  ALFRED_MODEL: ModelChain.optional().describe(
    'provider:model of all agents; more behind commas stand in while it is down; default: Claude when ANTHROPIC_API_KEY is set, else offline',
  ),
  ALFRED_AGENTS: jsonVariable(AgentsSettings)
    .optional()
    .describe(
      'JSON by agent: its models, what it does in an outage, its budgets, its approvals, the roles that it and its tools are kept for; see below',
    ),
  ALFRED_TENANTS: jsonVariable(TenantsSettings)
    .optional()
    .describe('JSON by tenant, or `*` for every other: limits of a day, share of the workers, retention; see below'),
  ALFRED_MODELS: jsonVariable(ModelOverrides)
    .optional()
    .describe('JSON by provider:model: prices and limits that the shipped table lacks or has otherwise; see below'),
  ALFRED_OUTAGE_FAILURES: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(5)
    .describe('failures of a model in a row, within a minute, after which no worker asks it until it is back'),
  ALFRED_OUTAGE_PROBE_S: z.coerce
    .number()
    .min(0.01)
    .max(3_600)
    .default(15)
    .describe('while a model is down: seconds from one probe to the next'),
  ALFRED_OUTAGE_DRAIN_PER_S: z.coerce
    .number()
    .min(0.01)
    .max(1_000)
    .default(5)
    .describe('when a model is back: waiting tasks that go on each second'),
  ALFRED_MAX_OUTPUT_TOKENS: z.coerce
    .number()
    .int()
    .min(16)
    .max(128_000)
    .default(8_192)
    .describe('output limit of one model call'),
  ALFRED_MODEL_SILENCE_S: z.coerce
    .number()
    .int()
    .min(1)
    .max(7_200)
    .optional()
    .describe(
      'a model call is given up after so many seconds in which its server sent nothing; default: 480 for Anthropic, 300 for OpenAI and Azure, 1800 for every other server, which may be a slow machine that reads a long prompt',
    ),
  ANTHROPIC_API_KEY: z.string().min(1).optional().describe('key for Claude'),
  ANTHROPIC_BASE_URL: url(/^https?:$/, 'http://host:port')
    .default('https://api.anthropic.com')
    .describe('address of the Anthropic API'),
  OPENAI_API_KEY: z.string().min(1).optional().describe('key for OpenAI, or for the server at OPENAI_BASE_URL'),
  OPENAI_BASE_URL: url(/^https?:$/, 'http://host:port/v1')
    .optional()
    .describe(
      'server that speaks Chat Completions (Azure, vLLM, Ollama, llama.cpp, …), with its /v1; default: OpenAI, when OPENAI_API_KEY is set',
    ),
  OLLAMA_BASE_URL: localUrl('ollama').describe('server of the provider `ollama`'),
  LMSTUDIO_BASE_URL: localUrl('lmstudio').describe('server of the provider `lmstudio`'),
  LLAMACPP_BASE_URL: localUrl('llamacpp').describe('server of the provider `llamacpp`, llama-server'),
  VLLM_BASE_URL: localUrl('vllm').describe('server of the provider `vllm`'),
  ALFRED_SCRIPT_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('JSON file with what the provider `scripted` answers, for tests, demonstrations and load'),
  ALFRED_OFFLINE_FIRST_TOKEN_MS: milliseconds.default(0).describe('offline provider: time to the first token'),
  ALFRED_OFFLINE_TOKENS_PER_S: z.coerce
    .number()
    .min(0)
    .default(0)
    .describe('offline provider: pace; 0 is as fast as it can'),
} as const;
