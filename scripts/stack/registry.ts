import { join } from 'node:path';
import { registryJar } from './install.ts';

/** The arguments of `java` that run the registry; its schemas live in a file, so that a restart keeps them. */
export function registryArguments(port: number, folder: string): string[] {
  return [
    '-Xmx384m',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Dquarkus.http.host=127.0.0.1',
    `-Dquarkus.http.port=${port}`,
    '-Dquarkus.http.access-log.enabled=false',
    `-Dapicurio.datasource.url=jdbc:h2:file:${join(folder, 'registry')}`,
    '-jar',
    registryJar,
  ];
}

/** The address under which Apicurio speaks the Confluent schema registry's API. */
export function confluentUrl(port: number): string {
  return `http://127.0.0.1:${port}/apis/ccompat/v7`;
}

/** Whether a registry answers at this address of its Confluent API. */
export async function registryAnswers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(3000) });
  return response.ok && Array.isArray(await response.json());
}
