import avsc from 'avsc';

/**
 * A default, as a schema's JSON has it, as an Avro value. Bytes are text there, a character for each byte
 * (Avro 1.12, "Complex Types", "Records"); an enum's default is wanted as its text.
 */
export function encodeDefault(primitive: string, value: unknown): Buffer {
  switch (primitive) {
    case 'enum':
    case 'string':
      return avsc.Type.forSchema('string').toBuffer(value);
    case 'bytes':
      return avsc.Type.forSchema('bytes').toBuffer(Buffer.from(String(value), 'latin1'));
    case 'int':
    case 'long':
    case 'boolean':
      return avsc.Type.forSchema(primitive).toBuffer(value);
    default:
      throw new TypeError(`a default of type ${primitive} is not exported`);
  }
}
