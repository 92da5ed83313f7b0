import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { avroType, frameValue, schemaText, type Trade } from '@tickline/schemas';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonFolder } from '../../scripts/setup.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type SecuredKafka, startSecuredKafka } from '../../scripts/stack/secured-kafka.ts';
import { type SecuredRegistry, startSecuredRegistry } from '../../scripts/stack/secured-registry.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { eventually } from '../support/eventually.ts';
import { jsonLinesOf, TicklineProcess, tickline, ticklineMain } from './support/run-tickline.ts';
import { recordOf, TopicWriter, tradeAt } from './support/topic-writer.ts';

const START = Math.floor(Date.now() / 1000 - 3600) * 1_000_000;

describe('with a stack of its own', () => {
  let stack: Stack;
  let writer: TopicWriter;
  let id: number;

  beforeAll(async () => {
    stack = await startStack();
    writer = await TopicWriter.open(stack);
    await writer.createTopic('md.trades', 1);
    id = await writer.registerOurs('md.trades', 'trades');
    const trade = (tick: number) =>
      recordOf('trades', id, 0, tradeAt(START + tick, { tradeId: String(tick) }));
    const good = avroType('trades').toBuffer(tradeAt(START));
    const bad = (value: Buffer) => ({ partition: 0, key: 'BTC-USDT', value, timestampMs: START / 1000 });
    await writer.write('md.trades', [
      trade(0),
      bad(frameValue(id, good.subarray(0, 40))),
      bad(Buffer.from('{"price": 1}')),
      bad(frameValue(4711, good)),
      bad(frameValue(4711, good)),
      trade(5),
    ]);
  });

  afterAll(async () => {
    await writer?.close();
    await stack?.stop();
  });

  function flags(): string[] {
    return ['--kafka.brokers', stack.brokers.join(','), '--registry.url', stack.registryUrl];
  }

  it('skips corrupted records and unknown schemas, tells each place, writes the rest and exits with 4', async () => {
    const { code, stdout, stderr } = await tickline(['replay', 'trades', '--speed', 'max', ...flags()]);
    expect(jsonLinesOf<Trade>(stdout).map(({ tradeId }) => tradeId)).toEqual(['0', '5']);
    expect(code).toBe(4);
    expect(stderr.split('\n')).toEqual([
      `tickline: skipped a record at md.trades partition 0 offset 1: corrupted record: the value does not fit its schema ${id}`,
      'tickline: skipped a record at md.trades partition 0 offset 2: corrupted record: the value is not Confluent-framed Avro',
      'tickline: skipped a record at md.trades partition 0 offset 3: unknown schema: schema 4711 is not in the registry',
      'tickline: skipped a record at md.trades partition 0 offset 4: unknown schema: schema 4711 is not in the registry',
      expect.stringMatching(
        /^replayed 2 records in .*, 0 others passed over, 4 skipped \(corrupted record: 2, unknown schema: 2\)$/,
      ),
      '',
    ]);
    const tail = await tickline(['tail', 'trades', '--from', '-2h', '-n', '2', '--json', ...flags()]);
    expect(tail.code).toBe(4);
    expect(tail.stdout).toBe(stdout);
  });

  it('ends quietly when nobody reads on, by Ctrl-C when somebody stalls, and with 5 when there is no room', async () => {
    await writer.createTopic('many.trades', 3);
    const manyId = await writer.registerOurs('many.trades', 'trades');
    const records = Array.from({ length: 20_000 }, (_, tick) =>
      recordOf('trades', manyId, tick % 3, tradeAt(START + tick)),
    );
    await writer.write('many.trades', records);
    const shell = (command: string): string =>
      execFileSync(
        'bash',
        ['-c', command, 'bash', process.execPath, ticklineMain, ...flags(), '--kafka.topicPrefix', 'many.'],
        {
          encoding: 'utf8',
        },
      );
    // PIPESTATUS: what the command itself ended with.
    const quiet = shell(
      `"$1" "$2" replay trades --speed max "\${@:3}" 2>&1 | head -n 2; echo "code \${PIPESTATUS[0]}"`,
    );
    const lines = quiet.trimEnd().split('\n');
    expect(jsonLinesOf<Trade>(lines.slice(0, 2).join('\n'))).toEqual([tradeAt(START), tradeAt(START + 1)]);
    expect(lines.slice(2)).toEqual(['code 0']);
    const stalled = new TicklineProcess(
      ['replay', 'trades', '--speed', 'max', ...flags(), '--kafka.topicPrefix', 'many.'],
      {},
      'unread',
    );
    await eventually('the pipe is full', () => stalled.unreadBytes > 0);
    stalled.kill('SIGINT');
    expect((await stalled.finished).code).toBe(130);
    const full = shell(`"$1" "$2" replay trades --speed max "\${@:3}" 2>&1 >/dev/full; echo "code $?"`);
    expect(full).toMatch(/^tickline: the output can't be written: .*ENOSPC.*\ncode 5\n$/);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads what librdkafka compressed with %s', async (codec) => {
    const topic = `${codec}.trades`;
    await writer.createTopic(topic, 1);
    const own = await writer.registerOurs(topic, 'trades');
    const trades = Array.from({ length: 2000 }, (_, tick) =>
      tradeAt(START + tick, {
        tradeId: String(tick),
        price: `${60_000 + ((tick * 37) % 977)}.${tick % 100}5`,
      }),
    );
    const lines = trades.map((trade) => frameValue(own, avroType('trades').toBuffer(trade)).toString('hex'));
    execFileSync(
      join(pythonFolder, 'bin/python'),
      [join(repositoryRoot, 'test/replay/write_compressed.py'), stack.brokers.join(','), topic, codec],
      { input: `${lines.join('\n')}\n` },
    );
    const { code, stdout } = await tickline([
      'replay',
      'trades',
      '--speed',
      'max',
      ...flags(),
      '--kafka.topicPrefix',
      `${codec}.`,
    ]);
    expect(code).toBe(0);
    expect(jsonLinesOf<Trade>(stdout)).toEqual(trades);
  });

  it('names the setting of what can’t be reached, or is not there, and exits with 3 or 2', async () => {
    const broker = await tickline(['replay', 'trades', ...flags(), '--kafka.brokers', '127.0.0.1:1']);
    expect(broker).toMatchObject({ code: 3, stdout: '' });
    expect(broker.stderr).toMatch(
      /^tickline: the broker 127\.0\.0\.1:1 \(kafka\.brokers\) can't be reached: .*ECONNREFUSED.*\n$/,
    );
    // Nothing answers at all: Ctrl-C ends the wait for it.
    const silent = createServer(() => undefined);
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const waiting = new TicklineProcess([
      'replay',
      'trades',
      ...flags(),
      '--kafka.brokers',
      `127.0.0.1:${port}`,
    ]);
    await once(silent, 'connection');
    waiting.kill('SIGINT');
    expect(await waiting.finished).toMatchObject({ code: 130, stdout: '', stderr: '' });
    silent.close();
    const registry = await tickline(['tail', 'trades', ...flags(), '--registry.url', 'http://127.0.0.1:1']);
    expect(registry).toMatchObject({ code: 3, stdout: '' });
    expect(registry.stderr).toMatch(
      /^tickline: the schema registry at http:\/\/127\.0\.0\.1:1 \(registry\.url\) can't be reached/,
    );
    const none = await tickline(['replay', 'trades', '--kafka.brokers', stack.brokers[0]!]);
    expect(none).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^tickline: registry\.url is not set/),
    });
    const noRegistry = await tickline([
      'replay',
      'trades',
      ...flags(),
      '--registry.url',
      stack.registryUrl.replace('ccompat', 'cc'),
    ]);
    expect(noRegistry).toMatchObject({ code: 3, stderr: expect.stringContaining('is no schema registry') });
    const topic = await tickline(['replay', 'status', ...flags()]);
    expect(topic).toMatchObject({ code: 2, stdout: '' });
    expect(topic.stderr).toMatch(
      /^tickline: the cluster has no topic md\.status \(names begin with kafka\.topicPrefix, "md\."\)/,
    );
    const prefix = await tickline(['replay', 'trades', ...flags(), '--kafka.topicPrefix', 'm.']);
    expect(prefix.stderr).toContain('did you mean md.trades');
  });

  it('goes on after the broker was killed and came back', async () => {
    await writer.createTopic('back.trades', 1);
    const own = await writer.registerOurs('back.trades', 'trades');
    const running = new TicklineProcess([
      'tail',
      'trades',
      '--json',
      '--from',
      '-2h',
      ...flags(),
      '--kafka.topicPrefix',
      'back.',
    ]);
    await writer.write('back.trades', [recordOf('trades', own, 0, tradeAt(START, { tradeId: 'before' }))]);
    await eventually('the first trade', () => running.stdout.includes('before'));
    await stack.broker(0).stop('SIGKILL');
    await stack.broker(0).start();
    await eventually('the second trade is written', async () => {
      await writer.write('back.trades', [recordOf('trades', own, 0, tradeAt(START, { tradeId: 'after' }))]);
      return true;
    });
    await eventually('the second trade', () => running.stdout.includes('after'));
    running.kill('SIGINT');
    const { code, stdout, stderr } = await running.finished;
    expect([code, stderr]).toEqual([0, '']);
    expect(jsonLinesOf<Trade>(stdout).filter(({ tradeId }) => tradeId === 'before')).toHaveLength(1);
  });
});

describe('with TLS and login', () => {
  const PASSWORD = 'correct horse';
  const PASSPHRASE = 'open sesame';
  let kafka: SecuredKafka;
  let registry: SecuredRegistry;

  beforeAll(async () => {
    kafka = await startSecuredKafka([{ name: 'reader', password: PASSWORD }], PASSPHRASE);
    registry = await startSecuredRegistry([
      { name: 'reader', password: PASSWORD, isAllowed: true },
      { name: 'stranger', password: PASSWORD, isAllowed: false },
    ]);
    const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
    const admin = new kafkajs.Kafka({ brokers: [kafka.open], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({
      waitForLeaders: true,
      topics: ['md.trades', 'md.quotes'].map((topic) => ({ topic, numPartitions: 2 })),
    });
    const acl = (resourceName: string, principal: string, operation: number) => ({
      resourceType: AclResourceTypes.TOPIC,
      resourceName,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal,
      host: '*',
      operation,
      permissionType: AclPermissionTypes.ALLOW,
    });
    await admin.createAcls({
      acl: [
        ...['User:reader', 'User:CN=client'].map((who) => acl('md.trades', who, AclOperationTypes.READ)),
        acl('md.quotes', 'User:reader', AclOperationTypes.DESCRIBE),
      ],
    });
    const producer = new kafkajs.Kafka({
      brokers: [kafka.open],
      logLevel: kafkajs.logLevel.NOTHING,
    }).producer();
    await producer.connect();
    const id = await registerTrades();
    const trade = recordOf('trades', id, 0, tradeAt(START));
    for (const topic of ['md.trades', 'md.quotes']) {
      await producer.send({ topic, messages: [{ key: trade.key, value: trade.value, partition: 0 }] });
    }
    await producer.disconnect();
    await admin.disconnect();
  });

  afterAll(async () => {
    await registry?.stop();
    await kafka?.stop();
  });

  async function registerTrades(): Promise<number> {
    const ids: number[] = [];
    for (const topic of ['md.trades', 'md.quotes']) {
      const response = await fetch(`${registry.url}/subjects/${topic}-value/versions`, {
        method: 'POST',
        headers: {
          'content-type': 'application/vnd.schemaregistry.v1+json',
          authorization: `Basic ${Buffer.from(`reader:${PASSWORD}`).toString('base64')}`,
        },
        body: JSON.stringify({ schema: schemaText('trades') }),
      });
      ids.push(((await response.json()) as { id: number }).id);
    }
    return ids[0]!;
  }

  /** A profile file and the secrets that it names. */
  function profiles(): string {
    writeFileSync(join(kafka.folder, 'password'), `${PASSWORD}\n`);
    writeFileSync(join(kafka.folder, 'passphrase'), PASSPHRASE);
    const file = join(kafka.folder, 'profiles.yaml');
    const schemas = `registry: { url: '${registry.tlsUrl}', caFile: '${registry.ca}', username: reader, passwordFile: password }`;
    const login = (mechanism: string, broker: string) =>
      `kafka: { brokers: ['${broker}'], ssl: { enabled: true, caFile: '${kafka.ca}' }, sasl: { mechanism: ${mechanism}, username: reader, passwordFile: password } }`;
    const mutual = `kafka: { brokers: ['${kafka.mutual}'], ssl: { enabled: true, caFile: '${kafka.ca}', certFile: '${kafka.clientWithPassphrase.cert}', keyFile: '${kafka.clientWithPassphrase.key}', keyPassphraseFile: passphrase } }`;
    writeFileSync(
      file,
      `default: plain\nprofiles:\n${[
        ['plain', login('plain', kafka.login)],
        ['scram256', login('scram-sha-256', kafka.login)],
        ['scram512', login('scram-sha-512', kafka.login)],
        ['without', login('scram-sha-512', kafka.noScram512)],
        ['mutual', mutual],
      ]
        .map(([name, settings]) => `  ${name}: { ${settings}, ${schemas} }`)
        .join('\n')}\n`,
    );
    return file;
  }

  function replay(...args: string[]) {
    return tickline(['replay', 'trades', '--speed', 'max', '--profile-file', profiles(), ...args]);
  }

  it.each(['plain', 'scram256', 'scram512', 'mutual'])('reads with the profile %s', async (profile) => {
    const { code, stdout, stderr } = await replay('--profile', profile);
    expect(stderr).toMatch(/^replayed 1 record in /);
    expect(code).toBe(0);
    expect(jsonLinesOf<Trade>(stdout)).toEqual([tradeAt(START)]);
  });

  it('names the setting of a refused login, certificate or right, and no secret; exit code 3', async () => {
    writeFileSync(join(kafka.folder, 'wrong'), 'battery staple');
    const wrong = join(kafka.folder, 'wrong');
    const cases: readonly (readonly [args: string[], message: RegExp])[] = [
      [['--kafka.sasl.passwordFile', wrong], /refuses the login \(kafka\.sasl\)/],
      [['--profile', 'without'], /refuses the login \(kafka\.sasl\).*does not support/],
      [['--kafka.ssl.caFile', kafka.otherCa], /no TLS with .* \(kafka\.ssl\)/],
      [['--kafka.brokers', kafka.otherHost], /no TLS with .* \(kafka\.ssl\)/],
      [['--kafka.brokers', kafka.expired], /no TLS with .* \(kafka\.ssl\).*expired/],
      [
        ['--registry.passwordFile', wrong],
        /refuses us \(401\): check registry\.username and registry\.passwordFile/,
      ],
      [['--registry.username', 'stranger'], /refuses us \(403\)/],
      [['--registry.caFile', registry.otherCa], /schema registry at .* \(registry\.url\) can't be reached/],
      [['--merge', 'quotes'], /our user \(kafka\.sasl\) may not read md\.quotes/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await replay(...args);
      expect(stderr).toMatch(message);
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      for (const secret of [PASSWORD, 'battery staple', PASSPHRASE]) expect(stderr).not.toContain(secret);
    }
  });

  it('asks for TLS where a port speaks it and the settings do not', async () => {
    const { code, stderr } = await tickline([
      'replay',
      'trades',
      '--kafka.brokers',
      kafka.mutual,
      '--registry.url',
      registry.url,
    ]);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/kafka\.ssl\.enabled/)]);
  });

  it('doctor tells a refused certificate and a refused login apart', async () => {
    const doctor = (...args: string[]) => tickline(['doctor', '--profile-file', profiles(), ...args]);
    const good = await doctor();
    expect(good.stdout).toMatch(/^ok {4}TLS .*: TLSv1\.3, certificate valid until /m);
    expect(good.stdout).toMatch(/^ok {4}Kafka .*: speaks our versions, login as reader by plain$/m);
    const certificate = await doctor('--kafka.ssl.caFile', kafka.otherCa);
    expect(certificate).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^fail {2}TLS .*\n {6}→ look at kafka\.ssl\.caFile/m),
    });
    const password = await doctor('--kafka.sasl.passwordFile', registry.ca);
    expect(password).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^fail {2}Kafka .*\n {6}→ look at kafka\.sasl/m),
    });
  });
});
