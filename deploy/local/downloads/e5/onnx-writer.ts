// Writes ONNX models (onnx.proto3, IR version 10) as protobuf, without the library's 30,000 generated lines.

/** Data types of TensorProto. */
export const onnxTypes = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;

/** A field of a protobuf message, wire type 2. */
const bytes = (field: number, content: Uint8Array | string) => {
  const body = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
};
const int = (field: number, value: number) => Buffer.concat([varint(field << 3), varint(value)]);
const float = (field: number, value: number) => {
  const body = Buffer.alloc(4);
  body.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), body]);
};
const message = (field: number, ...parts: Uint8Array[]) => bytes(field, Buffer.concat(parts));

/** @param value not negative */
function varint(value: number): Buffer {
  const encoded: number[] = [];
  let rest = value;
  while (rest >= 128) {
    encoded.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...encoded, rest]);
}

/** The key says which kind of number it is, because JavaScript has only one. */
export type Attribute = { int: number } | { float: number };

export type Node = {
  operator: string;
  inputs: string[];
  outputs: string[];
  attributes?: Record<string, Attribute>;
  /** The operator set; ONNX's own when it is left out. */
  domain?: string;
};

export type Value = { name: string; type: number; shape: (string | number)[] };
export type Initializer = { name: string; type: number; shape: number[]; data: Uint8Array };

export type Model = {
  name: string;
  /** Version of each operator set; the name of ONNX's own is empty. */
  operatorSets: Record<string, number>;
  inputs: Value[];
  outputs: Value[];
  initializers: Initializer[];
  nodes: Node[];
};

/** The bytes of a model. The same model gives the same bytes. */
export function writeOnnx({ name, operatorSets, inputs, outputs, initializers, nodes }: Model): Buffer {
  const graph = message(
    7,
    ...nodes.map((node) => message(1, ...nodeFields(node))),
    bytes(2, name),
    ...initializers.map((initializer) => message(5, ...initializerFields(initializer))),
    ...inputs.map((input) => message(11, ...valueFields(input))),
    ...outputs.map((output) => message(12, ...valueFields(output))),
  );
  const sets = Object.entries(operatorSets).map(([domain, version]) => message(8, bytes(1, domain), int(2, version)));
  return Buffer.concat([int(1, 8), graph, ...sets]);
}

const nodeFields = ({ operator, inputs, outputs, attributes = {}, domain }: Node) => [
  ...inputs.map((input) => bytes(1, input)),
  ...outputs.map((output) => bytes(2, output)),
  bytes(4, operator),
  ...Object.entries(attributes).map(([name, attribute]) => message(5, ...attributeFields(name, attribute))),
  ...(domain === undefined ? [] : [bytes(7, domain)]),
];

const attributeFields = (name: string, attribute: Attribute) =>
  'int' in attribute
    ? [bytes(1, name), int(3, attribute.int), int(20, 2)]
    : [bytes(1, name), float(2, attribute.float), int(20, 1)];

const initializerFields = ({ name, type, shape, data }: Initializer) => [
  ...shape.map((length) => int(1, length)),
  int(2, type),
  bytes(8, name),
  bytes(9, data),
];

function valueFields({ name, type, shape }: Value) {
  const dimensions = shape.map((length) => message(1, typeof length === 'number' ? int(1, length) : bytes(2, length)));
  return [bytes(1, name), message(2, message(1, int(1, type), message(2, ...dimensions)))];
}
