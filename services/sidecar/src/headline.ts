import type { PodStatus } from '@tickline/schemas';
import type { IngestorReport } from './sidecar-status.ts';
import type { Headline, Tone } from './snapshot.ts';

/** Says in words how the ingestor is. The title changes only with the state: it is read out. */
export function headlineOf(ingestor: IngestorReport): Headline {
  const { state, status, reason } = ingestor;
  switch (state) {
    case 'unknown':
      return {
        tone: 'warn',
        title: 'The ingestor was not asked yet',
        detail: 'The first answer is awaited.',
      };
    case 'unreachable':
      return {
        tone: 'bad',
        title: 'The ingestor is unreachable: its process is gone',
        detail: `${sentence(reason)} Nothing is read from the exchanges. ${kept(status)}`,
      };
    case 'hung':
      return {
        tone: 'bad',
        title: 'The ingestor hangs: its process is there and does not answer',
        detail: `${sentence(reason)} ${kept(status)}`,
      };
    case 'bad-answer':
      return {
        tone: 'bad',
        title: 'The ingestor gives a bad answer',
        detail: `${sentence(reason)} Is another program on its port? ${kept(status)}`,
      };
    case 'draining':
      return {
        tone: 'warn',
        title: 'The ingestor drains: it was told to stop',
        detail: 'It has left the exchanges and waits until everything is acknowledged.',
      };
    case 'starting':
      return { tone: 'warn', title: 'The ingestor starts', detail: sentence(reason) };
    case 'restarted':
      return {
        tone: status?.ready === true ? worseOf('warn', troubleOf(status)) : 'warn',
        title: 'The ingestor was restarted',
        detail: `${sentence(reason)} ${status === null ? '' : troubleOf(status).detail}`.trim(),
      };
    case 'up':
      return status === null
        ? { tone: 'good', title: 'The ingestor is up', detail: sentence(reason) }
        : troubleOf(status);
  }
}

/** What an ingestor that answers is in trouble with. */
function troubleOf(status: PodStatus): Headline {
  const broken = status.sinks.filter(({ healthy }) => !healthy);
  const waiting = status.exchanges.filter(({ waitingFor }) => waitingFor !== null);
  const down = status.connections.filter(({ state }) => state !== 'open');
  const stale = status.connections.reduce((sum, { subscriptions }) => sum + subscriptions.stale, 0);
  if (broken.length > 0) {
    return {
      tone: 'bad',
      title: `The ingestor is up, but not every output takes ticks`,
      detail: broken
        .map(({ sink, detail }) => sentence(`${sink}: ${detail ?? 'no reason is told'}`))
        .join(' '),
    };
  }
  if (waiting.length > 0 || down.length > 0) {
    const lines = [
      ...waiting.map(({ exchange, waitingFor }) => sentence(`${exchange} waits for ${waitingFor}`)),
      ...(down.length > 0 ? [`${listed(down.map(({ connection }) => connection))} not open.`] : []),
    ];
    return {
      tone: 'warn',
      title: 'The ingestor is up, but not every connection is open',
      detail: lines.join(' '),
    };
  }
  if (!status.ready) {
    const detail = sentence(status.notReady ?? 'it is not ready');
    return { tone: 'warn', title: 'The ingestor is up and not ready', detail };
  }
  if (stale > 0) {
    return {
      tone: 'warn',
      title: 'The ingestor is up, but some subscriptions are silent',
      detail: `${stale} ${stale === 1 ? 'subscription is' : 'subscriptions are'} stale; see below which.`,
    };
  }
  return {
    tone: 'good',
    title: 'The ingestor is up',
    detail: 'It is ready, all connections are open, and every output takes ticks.',
  };
}

function worseOf(tone: Tone, { tone: other }: Headline): Tone {
  return tone === 'bad' || other === 'bad' ? 'bad' : tone;
}

function kept(status: PodStatus | null): string {
  return status === null
    ? 'It has never answered this sidecar.'
    : 'What is shown below is what it answered last.';
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(', ');
  const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
  return `${shown}${more} ${names.length === 1 ? 'is' : 'are'}`;
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
