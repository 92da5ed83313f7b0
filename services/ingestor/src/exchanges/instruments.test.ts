import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExchangeName } from '@tickline/schemas';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { ListingError, type ListingSource } from './exchange.ts';
import { exchanges } from './registry.ts';

const BINANCE = {
  timezone: 'UTC',
  symbols: [
    {
      symbol: 'BTCUSDT',
      status: 'TRADING',
      baseAsset: 'BTC',
      quoteAsset: 'USDT',
      filters: [
        { filterType: 'PRICE_FILTER', minPrice: '0.01', tickSize: '0.01000000' },
        { filterType: 'LOT_SIZE', minQty: '0.00001', stepSize: '0.00001000' },
      ],
    },
    { symbol: 'LUNABUSD', status: 'BREAK', baseAsset: 'LUNA', quoteAsset: 'BUSD', filters: [] },
    { symbol: '币安人生USDT', status: 'NEW_WORD', baseAsset: '币安人生', quoteAsset: 'USDT' },
    { symbol: 'BROKEN' },
    'nonsense',
  ],
};
const BYBIT = {
  retCode: 0,
  retMsg: 'OK',
  result: {
    category: 'spot',
    list: [
      {
        symbol: 'BTCUSDT',
        baseCoin: 'BTC',
        quoteCoin: 'USDT',
        status: 'Trading',
        lotSizeFilter: { basePrecision: '0.000001' },
        priceFilter: { tickSize: '0.1' },
      },
    ],
    nextPageCursor: '',
  },
};
const BYBIT_INVERSE = {
  retCode: 0,
  result: {
    list: [
      {
        symbol: 'BTCUSDZ26',
        contractType: 'InverseFutures',
        baseCoin: 'BTC',
        quoteCoin: 'USD',
        settleCoin: 'BTC',
        deliveryTime: '1798185600000',
        status: 'PreLaunch',
        lotSizeFilter: { qtyStep: '1' },
      },
      {
        symbol: 'BTCPERP',
        contractType: 'LinearPerpetual',
        baseCoin: 'BTC',
        quoteCoin: 'USDC',
        settleCoin: 'USDC',
        deliveryTime: '0',
      },
    ],
  },
};
const OKX = {
  code: '0',
  msg: '',
  data: [
    {
      instType: 'SPOT',
      instId: 'BTC-USDT',
      baseCcy: 'BTC',
      quoteCcy: 'USDT',
      state: 'live',
      tickSz: '0.1',
      lotSz: '0.00000001',
    },
    { instType: 'SPOT', instId: 'NEW-USDT', baseCcy: 'NEW', quoteCcy: 'USDT', state: 'preopen' },
    {
      instType: 'SWAP',
      instId: 'BTC-USDT-SWAP',
      baseCcy: '',
      uly: 'BTC-USDT',
      settleCcy: 'USDT',
      ctType: 'linear',
      ctVal: '0.01',
      ctMult: '1',
      state: 'live',
    },
    {
      instType: 'SWAP',
      instId: 'BTC-USD-SWAP',
      uly: 'BTC-USD',
      settleCcy: 'BTC',
      ctType: 'inverse',
      ctVal: '100',
      ctMult: '1',
      state: 'live',
    },
    {
      instType: 'FUTURES',
      instId: 'BTC-USD-261225',
      uly: 'BTC-USD',
      settleCcy: 'BTC',
      ctType: 'inverse',
      ctVal: '100',
      ctMult: '1',
      expTime: '1798185600000',
      state: 'live',
    },
    { instType: 'SWAP', instId: 'ODD-USDT-SWAP', uly: 'ODD-USDT', ctVal: '', ctMult: '1' },
    { instType: 'OPTION', instId: 'BTC-USD-261225-60000-C' },
  ],
};
const KRAKEN = {
  channel: 'instrument',
  type: 'snapshot',
  data: {
    assets: [{ id: 'BTC' }],
    pairs: [
      {
        symbol: 'BTC/USD',
        base: 'BTC',
        quote: 'USD',
        status: 'online',
        qty_increment: 1e-8,
        price_increment: 0.1,
      },
      {
        symbol: 'OLD/EUR',
        base: 'OLD',
        quote: 'EUR',
        status: 'cancel_only',
        qty_increment: '0.5',
        price_increment: null,
      },
    ],
  },
};

const parse = (exchange: ExchangeName, answer: unknown) => exchanges[exchange].parseInstruments(answer);
const ESSENTIALS = [
  'symbol',
  'exchangeSymbol',
  'kind',
  'settle',
  'status',
  'contractSize',
  'inverse',
  'expiry',
] as const;
const essentials = (exchange: ExchangeName, answer: unknown) =>
  parse(exchange, answer).map((instrument) => ESSENTIALS.map((key) => instrument[key]));

describe('parseInstruments', () => {
  it('binance', () => {
    expect(parse('binance', BINANCE)[0]).toEqual({
      exchange: 'binance',
      symbol: 'BTC-USDT',
      exchangeSymbol: 'BTCUSDT',
      kind: 'spot',
      base: 'BTC',
      quote: 'USDT',
      settle: 'USDT',
      status: 'trading',
      nativeStatus: 'TRADING',
      priceIncrement: '0.01',
      quantityIncrement: '0.00001',
      contractSize: null,
      inverse: false,
      expiry: null,
    });
    expect(essentials('binance', BINANCE).slice(1)).toEqual([
      ['LUNA-BUSD', 'LUNABUSD', 'spot', 'BUSD', 'halted', null, false, null],
      ['币安人生-USDT', '币安人生USDT', 'spot', 'USDT', 'other', null, false, null],
    ]);
  });

  it('bybit-spot, pages and other categories', () => {
    expect(essentials('bybit-spot', [BYBIT, BYBIT_INVERSE])).toEqual([
      ['BTC-USDT', 'BTCUSDT', 'spot', 'USDT', 'trading', null, false, null],
      ['BTC-USD-20261225:BTC', 'BTCUSDZ26', 'future', 'BTC', 'halted', '1', true, 1798185600000],
      ['BTC-USDC-PERP', 'BTCPERP', 'perpetual', 'USDC', 'other', null, false, null],
    ]);
    expect(parse('bybit-spot', BYBIT)[0]).toMatchObject({
      priceIncrement: '0.1',
      quantityIncrement: '0.000001',
    });
  });

  it('okx', () => {
    expect(essentials('okx', OKX)).toEqual([
      ['BTC-USDT', 'BTC-USDT', 'spot', 'USDT', 'trading', null, false, null],
      ['NEW-USDT', 'NEW-USDT', 'spot', 'USDT', 'halted', null, false, null],
      ['BTC-USDT-PERP', 'BTC-USDT-SWAP', 'perpetual', 'USDT', 'trading', '0.01', false, null],
      ['BTC-USD-PERP:BTC', 'BTC-USD-SWAP', 'perpetual', 'BTC', 'trading', '100', true, null],
      ['BTC-USD-20261225:BTC', 'BTC-USD-261225', 'future', 'BTC', 'trading', '100', true, 1798185600000],
    ]);
  });

  it('kraken', () => {
    expect(essentials('kraken', KRAKEN)).toEqual([
      ['BTC-USD', 'BTC/USD', 'spot', 'USD', 'trading', null, false, null],
      ['OLD-EUR', 'OLD/EUR', 'spot', 'EUR', 'halted', null, false, null],
    ]);
    expect(parse('kraken', KRAKEN.data)[0]).toMatchObject({
      priceIncrement: '0.1',
      quantityIncrement: '0.00000001',
    });
  });

  it.each<[ExchangeName, unknown, string]>([
    ['binance', [], 'exchangeInfo'],
    ['binance', { symbols: 5 }, 'exchangeInfo'],
    ['binance', { symbols: [{ no: 1 }, { names: 2 }] }, 'none of 2 entries'],
    ['bybit-spot', { retCode: 10001, retMsg: 'params error' }, 'retCode 10001: params error'],
    ['bybit-spot', null, 'instruments-info'],
    ['okx', { code: '50011', msg: 'Rate limit reached' }, 'code 50011: Rate limit reached'],
    ['okx', 'x', 'public/instruments'],
    ['kraken', { error: [], result: { XXBTZUSD: { wsname: 'XBT/USD' } } }, 'AssetPairs differ'],
  ])('%s refuses %j', (exchange, answer, message) => {
    expect(() => parse(exchange, answer)).toThrow(ListingError);
    expect(() => parse(exchange, answer)).toThrow(message);
  });

  it('leaves out names that are longer than a record takes', () => {
    const symbols = [
      ...BINANCE.symbols.slice(0, 1),
      { symbol: 'X'.repeat(200), baseAsset: 'X', quoteAsset: 'Y' },
    ];
    expect(parse('binance', { symbols }).map(({ exchangeSymbol }) => exchangeSymbol)).toEqual(['BTCUSDT']);
  });
});

describe('fetchInstruments', () => {
  let server: Server | null = null;
  const controller = { current: new AbortController() };

  afterEach(async () => {
    const running = server;
    server = null;
    controller.current = new AbortController();
    running?.closeAllConnections();
    await new Promise<void>((resolve) => (running === null ? resolve() : running.close(() => resolve())));
  });

  async function source(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    timeoutMs = 5000,
  ): Promise<ListingSource & { server: Server; host: string }> {
    const created = createServer(answer);
    server = created;
    await new Promise<void>((resolve) => created.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(created.address() as AddressInfo).port}`;
    return {
      endpoints: { rest: `http://${host}`, websocket: `ws://${host}` },
      signal: controller.current.signal,
      timeoutMs,
      server: created,
      host,
    };
  }

  const json = (value: unknown) => (_request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  };

  it.each<[ExchangeName, unknown, string]>([
    ['binance', BINANCE, '/api/v3/exchangeInfo'],
    ['okx', OKX, '/api/v5/public/instruments?instType=SPOT'],
  ])('%s asks once', async (exchange, answer, path) => {
    const asked: (string | undefined)[] = [];
    const from = await source((request, response) => {
      asked.push(request.url);
      json(answer)(request, response);
    });
    const instruments = await exchanges[exchange].fetchInstruments(from);
    expect(instruments).toEqual(parse(exchange, answer));
    expect(asked).toEqual([path]);
  });

  it('bybit-spot follows the pages', async () => {
    const asked: (string | undefined)[] = [];
    const from = await source((request, response) => {
      asked.push(request.url);
      const page =
        asked.length === 1 ? { ...BYBIT, result: { ...BYBIT.result, nextPageCursor: 'a=b' } } : BYBIT;
      json(page)(request, response);
    });
    expect(await exchanges['bybit-spot'].fetchInstruments(from)).toHaveLength(2);
    expect(asked).toEqual([
      '/v5/market/instruments-info?category=spot&limit=1000',
      '/v5/market/instruments-info?category=spot&limit=1000&cursor=a%3Db',
    ]);
  });

  it('bybit-spot does not follow pages without an end', async () => {
    const from = await source(json({ ...BYBIT, result: { ...BYBIT.result, nextPageCursor: 'again' } }));
    await expect(exchanges['bybit-spot'].fetchInstruments(from)).rejects.toThrow('more than 50 pages');
  });

  it('names the status, and how long to wait', async () => {
    const from = await source((_request, response) => {
      response.writeHead(429, { 'retry-after': '7' });
      response.end('{"code":-1003}');
    });
    const failure = exchanges.binance.fetchInstruments(from);
    await expect(failure).rejects.toThrow(ListingError);
    await expect(failure).rejects.toThrow(`${from.host} answered HTTP 429, retry after 7 s: {"code":-1003}`);
    await expect(failure).rejects.toMatchObject({ pauseMs: 7_000 });
  });

  it('says that a country is refused', async () => {
    const from = await source((_request, response) => response.writeHead(451).end());
    await expect(exchanges.binance.fetchInstruments(from)).rejects.toThrow(
      'HTTP 451 (refused for this address or country)',
    );
  });

  it('follows no redirect', async () => {
    const from = await source((_request, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    );
    await expect(exchanges.okx.fetchInstruments(from)).rejects.toThrow('HTTP 302');
  });

  it('says that the answer is not JSON', async () => {
    const from = await source((_request, response) => response.end('<html>'));
    await expect(exchanges.okx.fetchInstruments(from)).rejects.toThrow(
      `${from.host} answered something that is not JSON: <html>`,
    );
  });

  it('says that nobody listens', async () => {
    const from = await source(json({}));
    from.server.closeAllConnections();
    await new Promise((resolve) => from.server.close(resolve));
    server = null;
    for (const exchange of ['binance', 'kraken'] as const) {
      const failure = exchanges[exchange].fetchInstruments(from);
      await expect(failure).rejects.toThrow(ListingError);
      await expect(failure).rejects.toThrow(new RegExp(`${from.host} could not be reached: .*ECONNREFUSED`));
    }
  });

  it('gives up after the time-out, also in the middle of an answer', async () => {
    const from = await source((_request, response) => {
      response.write('{"symbols":');
    }, 100);
    await expect(exchanges.binance.fetchInstruments(from)).rejects.toThrow('did not answer within 100 ms');
  });

  it('stops with the process', async () => {
    const from = await source(() => controller.current.abort());
    await expect(exchanges.binance.fetchInstruments(from)).rejects.toThrow('the process stops');
    await expect(exchanges.kraken.fetchInstruments(from)).rejects.toThrow('the process stops');
  });

  describe('kraken', () => {
    async function socketServer(
      onRequest: (send: (value: unknown) => void, request: unknown, close: () => void) => void,
    ) {
      const from = await source(
        (_request, response) => response.writeHead(403, { 'retry-after': '600' }).end(),
        500,
      );
      const sockets = new WebSocketServer({ noServer: true });
      from.server.on('upgrade', (request, socket, head) => {
        if (request.url !== '/v2') {
          socket.destroy();
          return;
        }
        sockets.handleUpgrade(request, socket, head, (client) => {
          const send = (value: unknown) =>
            client.send(typeof value === 'string' ? value : JSON.stringify(value));
          send({ channel: 'status', type: 'update', data: [{ system: 'online' }] });
          client.on('message', (message: Buffer) =>
            onRequest(send, JSON.parse(message.toString()), () => client.close()),
          );
        });
      });
      return from;
    }

    it('takes the snapshot of the instrument channel and leaves', async () => {
      const requests: unknown[] = [];
      const from = await socketServer((send, request) => {
        requests.push(request);
        send({ method: 'subscribe', result: { channel: 'instrument' }, success: true, req_id: 1 });
        send({ channel: 'heartbeat' });
        send(KRAKEN);
      });
      expect(await exchanges.kraken.fetchInstruments(from)).toEqual(parse('kraken', KRAKEN));
      expect(requests).toEqual([
        { method: 'subscribe', params: { channel: 'instrument', snapshot: true }, req_id: 1 },
      ]);
    });

    it.each<[string, (send: (value: unknown) => void, close: () => void) => void, string]>([
      [
        'refuses',
        (send) => send({ method: 'subscribe', success: false, error: 'No' }),
        'refused the listing: No',
      ],
      ['closes', (_send, close) => close(), 'closed the connection before it sent the listing'],
      ['says nothing', () => {}, 'sent no listing within 500 ms'],
      ['sends no JSON', (send) => send('hello'), 'sent something that is not JSON'],
    ])('says when it %s', async (_what, answer, message) => {
      const from = await socketServer((send, _request, close) => answer(send, close));
      const failure = exchanges.kraken.fetchInstruments(from);
      await expect(failure).rejects.toThrow(ListingError);
      await expect(failure).rejects.toThrow(message);
    });

    it('says why the socket was refused', async () => {
      const from = await source(() => {});
      from.server.on('upgrade', (_request, socket) => {
        socket.end('HTTP/1.1 429 Too Many Requests\r\nretry-after: 600\r\n\r\n');
      });
      const failure = exchanges.kraken.fetchInstruments(from);
      await expect(failure).rejects.toThrow('answered HTTP 429, retry after 600 s');
      await expect(failure).rejects.toMatchObject({ pauseMs: 600_000 });
    });
  });
});
