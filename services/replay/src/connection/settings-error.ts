/** Settings, flags or arguments that are refused: exit code 2. The message says which, who set them, and what to do. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}
