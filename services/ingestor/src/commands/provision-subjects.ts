import { RECORD_TOPICS, topicName, valueSubject } from '@tickline/schemas';
import { type RegistryClient, registeredSchema, SUBJECT_COMPATIBILITY } from '../registry-client.ts';
import type { Drift } from './provision-topics.ts';

/** A subject as it should be. */
export interface WantedSubject {
  readonly name: string;
  readonly schema: string;
}

/** What there is of a wanted subject. */
export interface FoundSubject {
  /** Null: there is no such subject. */
  readonly latestVersion: number | null;
  /** The id of our schema, null where the subject has it in no version. */
  readonly id: number | null;
  readonly drift: readonly Drift[];
}

/** Subjects of all topics that hold records (TopicNameStrategy). */
export function wantedSubjects(prefix: string): WantedSubject[] {
  return RECORD_TOPICS.map((topic) => ({
    name: valueSubject(topicName(prefix, topic)),
    schema: registeredSchema(topic),
  }));
}

export async function inspectSubject(
  client: RegistryClient,
  { name, schema }: WantedSubject,
): Promise<FoundSubject> {
  const latestVersion = await client.latestVersion(name);
  if (latestVersion === null) return { latestVersion, id: null, drift: [] };
  const [id, compatibility] = [await client.idOf(name, schema), await client.compatibilityOf(name)];
  const drift: Drift[] = [];
  if (compatibility !== SUBJECT_COMPATIBILITY) {
    drift.push({ what: 'compatibility', wanted: SUBJECT_COMPATIBILITY, found: compatibility ?? 'not set' });
  }
  if (id === null) {
    drift.push({ what: 'schema', wanted: 'ours', found: `others, up to version ${latestVersion}` });
  }
  return { latestVersion, id, drift };
}
