/** The place of the shard's number in `grpc.peerAddress`. */
const SHARD = '{shard}';

/**
 * The address of every shard's gRPC server by the setting `grpc.peerAddress`: a template with `{shard}`
 * (`tickline-{shard}.tickline:9090`), or addresses with commas between, in the order of the shards. Empty
 * where the setting does not say.
 */
export function peerAddressOf(setting: string | null, shard: number): string {
  if (setting === null) return '';
  if (setting.includes(SHARD)) return setting.replaceAll(SHARD, String(shard));
  return setting.split(',')[shard]?.trim() ?? '';
}
