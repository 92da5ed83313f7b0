import { ENTRY_FORMAT } from './tick-batch.ts';

/** How long a writer's mark is kept: longer than any answer can be waited for. */
const MARK_MS = 3_600_000;

/**
 * Appends a batch, one entry for each tick, in one call. KEYS[1] is the mark: the number of the last batch that this
 * writer has appended here, which makes a batch that is sent again, because its answer never came, do nothing.
 * KEYS[2…] are the streams. ARGV: the batch's number, the batch, the most entries of a stream (0: any), their
 * greatest age in milliseconds (0: any).
 *
 * Answers with the mark as it was (-1: there was none), then for each stream that takes no entries its number in the
 * batch and why. Streams are trimmed once a call, not once an entry, by whole nodes (`~`).
 */
export const APPEND_SCRIPT: string = `
local call, try, unpack = redis.call, redis.pcall, struct.unpack
local number, batch = tonumber(ARGV[1]), ARGV[2]
local mark = tonumber(call('GET', KEYS[1]) or '-1')
if mark >= number then return {mark} end
local at, last, refused, answer = 1, #batch, {}, {mark}
local name, symbol, sequence, value
while at <= last do
  name, symbol, sequence, value, at = unpack('${ENTRY_FORMAT}', batch, at)
  if not refused[name] then
    local added = try('XADD', KEYS[name + 1], '*', 's', symbol, 'n', sequence, 'v', value)
    if type(added) == 'table' and added.err then
      if not string.find(added.err, '^WRONGTYPE') then return added end
      refused[name] = true
      answer[#answer + 1] = name
      answer[#answer + 1] = added.err
    end
  end
end
local length, age = tonumber(ARGV[3]), tonumber(ARGV[4])
local oldest = 0
if age > 0 then
  local time = call('TIME')
  oldest = time[1] * 1000 + math.floor(time[2] / 1000) - age
end
for index = 2, #KEYS do
  if not refused[index - 1] then
    if length > 0 then call('XTRIM', KEYS[index], 'MAXLEN', '~', ARGV[3]) end
    if oldest > 0 then call('XTRIM', KEYS[index], 'MINID', '~', string.format('%.0f', oldest)) end
  end
end
call('SET', KEYS[1], ARGV[1], 'PX', '${MARK_MS}')
return answer
`;

/**
 * Publishes a batch, one message for each tick, in one call. ARGV: the batch, then the channels. Answers with how
 * many messages Redis refused, and why it refused the first.
 */
export const PUBLISH_SCRIPT: string = `
local try, unpack = redis.pcall, struct.unpack
local batch, at, refused, reason = ARGV[1], 1, 0, ''
local last = #batch
local name, symbol, sequence, value
while at <= last do
  name, symbol, sequence, value, at = unpack('${ENTRY_FORMAT}', batch, at)
  local sent = try('PUBLISH', ARGV[name + 1], value)
  if type(sent) == 'table' and sent.err then
    refused = refused + 1
    if refused == 1 then reason = sent.err end
  end
end
return {refused, reason}
`;
