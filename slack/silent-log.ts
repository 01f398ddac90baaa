import { webApi } from '@slack/bolt';

const ignore = () => undefined;

/** For Slack's libraries: they would log what people write. */
export const silentLog = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  setLevel: ignore,
  getLevel: () => webApi.LogLevel.ERROR,
  setName: ignore,
};
