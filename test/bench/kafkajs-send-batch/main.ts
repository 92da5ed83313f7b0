/** The ingestor as `run` builds it, with only the sink exchanged. */
import { runCommand } from '../../../services/ingestor/src/commands/run.ts';
import { KafkajsSendBatchSink } from './sink.ts';

process.exitCode = await runCommand(
  process.argv.slice(3),
  { env: process.env, stdout: process.stdout, stderr: process.stderr, version: 'benchmark' },
  (config) => [new KafkajsSendBatchSink(config)],
);
