/**
 * Whether an address is one of Slack's own, so that tokens and content may go there.
 *
 * @param apiUrl Slack's Web API when it is not Slack's own, as in trials: its files are there too
 */
export function isSlackAddress(url: URL, apiUrl: string | undefined): boolean {
  if (apiUrl !== undefined && url.origin === new URL(apiUrl).origin) return true;
  const { protocol, port, hostname } = url;
  return protocol === 'https:' && port === '' && (hostname === 'slack.com' || hostname.endsWith('.slack.com'));
}
