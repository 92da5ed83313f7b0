import type { FrameDecoder, FrameHandler } from '../exchange.ts';
import type { Scanner, ScanPlan } from '../scanner.ts';

/** For tests: the frame as a part of a socket's chunk, whose other bytes must not be read. */
function within(frame: string | Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from('{"7'),
    typeof frame === 'string' ? Buffer.from(frame) : frame,
    Buffer.from('7}'),
  ]);
}

/** For tests: decodes one frame. */
export function decodeFrame(decoder: FrameDecoder, frame: string | Uint8Array, handler: FrameHandler): void {
  const chunk = within(frame);
  decoder.decode(chunk, 3, chunk.length - 2, handler);
}

/** For tests: scans one frame; positions count from the start of `scanner.bytes`. */
export function scanFrame(scanner: Scanner, frame: Uint8Array, rootSlot: number, plan: ScanPlan): boolean {
  const chunk = within(frame);
  return scanner.scan(chunk, 3, chunk.length - 2, rootSlot, plan);
}
