{{/* Asks every pod behind the headless Service until each shard has one that is ready, in the image's own Node. */}}
{{- define "tickline.testScript" -}}
import { lookup } from 'node:dns/promises';
const [host, shards, sidecarPort, metricsPort, seconds] = process.argv.slice(1);
const deadline = Date.now() + seconds * 1000;
const get = async (address, port, path) => {
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}${path}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch((error) => {
    throw new Error(`${url}: ${error.cause?.message ?? error.message}`);
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return text;
};
const shardOf = async ({ address }) => {
  await get(address, sidecarPort, '/healthz');
  await get(address, sidecarPort, '/metrics');
  await get(address, metricsPort, '/readyz');
  const metrics = await get(address, metricsPort, '/metrics');
  const shard = /^tickline_pod_shard_info\{(?:.*,)?shard="(\d+)"/m.exec(metrics)?.[1];
  if (shard === undefined) throw new Error(`${address}: the metrics do not name the shard`);
  return Number(shard);
};
for (;;) {
  const addresses = await lookup(host, { all: true }).catch(() => []);
  const answers = await Promise.allSettled(addresses.map(shardOf));
  const ready = new Set(answers.map(({ value }) => value));
  const missing = Array.from({ length: Number(shards) }, (_, shard) => shard).filter((shard) => !ready.has(shard));
  if (missing.length === 0) {
    console.log(`all ${shards} shards are ready, in ${addresses.length} pods`);
    break;
  }
  if (Date.now() > deadline) {
    for (const { reason } of answers) if (reason) console.error(reason.message);
    console.error(`no ready pod for shard ${missing.join(', ')} behind ${host}`);
    process.exit(1);
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
{{- end -}}
