import type { TickChannel } from '@tickline/schemas';
import { TICK_CHANNELS } from '@tickline/schemas';
import type { Subscription } from './subscriptions.ts';

interface Places {
  /** Connection by instrument slot; −1: none. */
  connection: Int32Array;
  /** Index on that connection, by instrument slot. */
  index: Int32Array;
}

/** Which connection carries (channel, slot), and under which index: two array reads per tick. */
export class Placement {
  readonly byChannel: Readonly<Record<TickChannel, Places>>;

  constructor(slots: number) {
    const entries = TICK_CHANNELS.map((channel) => [
      channel,
      { connection: new Int32Array(slots).fill(-1), index: new Int32Array(slots) },
    ]);
    this.byChannel = Object.fromEntries(entries) as Record<TickChannel, Places>;
  }

  /** The connection carries exactly these, in this order. */
  put(connection: number, subscriptions: readonly Subscription[]): void {
    subscriptions.forEach((subscription, index) => {
      const places = this.byChannel[subscription.channel];
      places.connection[subscription.instrument.slot] = connection;
      places.index[subscription.instrument.slot] = index;
    });
  }
}
