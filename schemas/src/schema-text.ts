import { readFileSync } from 'node:fs';

/** Topics whose values are Avro records; `invalid` carries raw frames. */
export const RECORD_TOPICS = ['trades', 'quotes', 'status'] as const;
export type RecordTopic = (typeof RECORD_TOPICS)[number];

/** The `.avsc` text of a topic's record, as it is registered. */
export function schemaText(topic: RecordTopic): string {
  return readFileSync(new URL(`../avro/${topic}.avsc`, import.meta.url), 'utf8');
}
