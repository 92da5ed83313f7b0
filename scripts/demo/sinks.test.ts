import { describe, expect, it } from 'vitest';
import { hasOtherSinks, leadingSink, readSinks } from './sinks.ts';

describe('readSinks', () => {
  it('takes any order and case, and has its own', () => {
    expect(readSinks('grpc, Redis,kafka')).toEqual(['kafka', 'redisStreams', 'redisPubSub', 'grpc']);
    expect(readSinks('redis')).toEqual(['redisStreams', 'redisPubSub']);
    expect(readSinks('grpc,grpc')).toEqual(['grpc']);
  });

  it.each(['', 'kafka,', 'nats', 'redisStreams', 'toString'])('refuses %j', (text) => {
    expect(readSinks(text)).toBeNull();
  });
});

describe('leadingSink', () => {
  it('is the first that loses nothing', () => {
    expect(leadingSink(readSinks('redis,grpc,kafka')!)).toBe('kafka');
    expect(leadingSink(readSinks('grpc,redis')!)).toBe('redisStreams');
    expect(leadingSink(readSinks('grpc')!)).toBe('grpc');
    expect(leadingSink(['redisPubSub', 'grpc'])).toBe('grpc');
  });
});

describe('hasOtherSinks', () => {
  it('is false for Kafka alone', () => {
    expect(hasOtherSinks(['kafka'])).toBe(false);
    expect(hasOtherSinks(['kafka', 'grpc'])).toBe(true);
    expect(hasOtherSinks(['grpc'])).toBe(true);
  });
});
