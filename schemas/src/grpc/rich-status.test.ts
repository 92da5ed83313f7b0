import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { detailOf, detailTrailers, type StatusDetail } from './rich-status.ts';

describe('the detail of a status', () => {
  it.each<StatusDetail>([
    {
      type: 'WrongOwner',
      value: {
        symbols: [{ exchange: 'okx', symbol: 'BTC-USDT', owners: [{ shard: 3, address: 'pod:9090' }] }],
      },
    },
    { type: 'TooSlow', value: { undelivered: 5n, queuedBytes: 2n ** 40n, queueLimitBytes: 0n } },
  ])('$type is read as it was written', (detail) => {
    expect(detailOf(detailTrailers(9, 'a sentence with ü', detail))).toEqual(detail);
  });

  it('is none where there is none, or one of a later version', () => {
    expect(detailOf(new Metadata())).toBeNull();
    const later = new Metadata();
    // google.rpc.Status with one Any of another type.
    later.set('grpc-status-details-bin', Buffer.from([0x08, 9, 0x1a, 5, 0x0a, 3, 0x61, 0x2f, 0x62]));
    expect(detailOf(later)).toBeNull();
  });
});
