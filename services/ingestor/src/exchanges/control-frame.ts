/** Control messages are short; a larger frame is not parsed as one. */
const MAX_CONTROL_BYTES = 1024 * 1024;

/** A control frame as an object, by JSON.parse: rare, so convenience counts. Null when it is none. */
export function readControlFrame(frame: Uint8Array): Readonly<Record<string, unknown>> | null {
  if (frame.length > MAX_CONTROL_BYTES) return null;
  try {
    const value: unknown = JSON.parse(
      Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('utf8'),
    );
    return asRecord(value);
  } catch {
    return null;
  }
}

/** The value as an object with unknown members; null when it is anything else. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

/** The value when it is a string that is not empty. */
export function asText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The number that we gave a request, sent back as number or text; null when it is not one. */
export function asRequest(value: unknown): number | null {
  if (typeof value === 'string' && /^[0-9]{1,15}$/.test(value)) return Number(value);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** A code as text, whether it came as number or as text. */
export function asCode(value: unknown): string | null {
  return typeof value === 'number' ? String(value) : asText(value);
}
