import { FieldWalk, SchemaError } from './field-walk.ts';

/** One field of a writer's schema, as Avro's JSON has it. */
export interface WriterField {
  readonly name: string;
  /** The type as in the schema's JSON: `"string"`, `["null", { "type": "bytes", "logicalType": "decimal", … }]`. */
  readonly type: unknown;
}

/** A schema that values were written with, by its id in the registry; one object for each id. */
export class WriterSchema {
  readonly id: number;
  /** As the registry has it. */
  readonly text: string;
  readonly fields: readonly WriterField[];
  /** Finds the fields in a value's bytes. */
  readonly walk: FieldWalk;
  /** The place of the record's own time, `receiveTime` or (of `status`) `time`; -1 when there is neither. */
  readonly timeIndex: number;
  private readonly places: ReadonlyMap<string, number>;

  /** Throws SchemaError when the text is not the schema of a record. */
  constructor(id: number, text: string) {
    this.id = id;
    this.text = text;
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw new SchemaError(`schema ${id} is not JSON`, { cause });
    }
    this.walk = new FieldWalk(json);
    this.fields = (json as { fields: WriterField[] }).fields;
    this.places = new Map(this.fields.map(({ name }, place) => [name, place]));
    const isTime = (name: string): boolean => {
      const type = this.fields[this.indexOf(name)]?.type;
      return typeof type === 'object' && type !== null && 'type' in type && type.type === 'long';
    };
    this.timeIndex = ['receiveTime', 'time'].filter(isTime).map((name) => this.indexOf(name))[0] ?? -1;
  }

  /** The place of a field in `fields` and in `RecordView.at`; -1 when the writer did not have it. */
  indexOf(field: string): number {
    return this.places.get(field) ?? -1;
  }
}
