import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import ts from 'typescript';

/** What is wrong with a value, with its place; undefined when it fits. */
type Fault = string | undefined;
export type Operation = {
  name: string;
  query: (given: Record<string, string>) => Fault;
  request: (body: unknown) => Fault;
  response: (body: unknown) => Fault;
};

/**
 * Reads the types that a client generated from its server's OpenAPI document as rules for values: requests and
 * responses of every operation. Unlike the compiler it looks at what is really sent. Numbers' limits are not part of
 * the types.
 *
 * @param path of the declaration file, made by openapi-typescript
 */
export function readOpenApiTypes(path: string) {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const roots = new Map<string, ts.TypeElement[]>();
  for (const statement of file.statements)
    if (ts.isInterfaceDeclaration(statement)) roots.set(statement.name.text, [...statement.members]);

  const memberOf = (members: readonly ts.TypeElement[], name: string): ts.TypeNode | undefined =>
    members.filter(ts.isPropertySignature).find((one) => nameOf(one) === name)?.type;
  const at = (node: ts.TypeNode | undefined, ...names: string[]): ts.TypeNode | undefined =>
    names.reduce<ts.TypeNode | undefined>(
      (inside, name) => (inside && ts.isTypeLiteralNode(inside) ? memberOf(inside.members, name) : undefined),
      node,
    );
  const resolve = (node: ts.IndexedAccessTypeNode): ts.TypeNode => {
    const keys: string[] = [];
    let object: ts.TypeNode = node;
    while (ts.isIndexedAccessTypeNode(object)) {
      keys.unshift(literalOf(object.indexType));
      object = object.objectType;
    }
    const [first = '', ...rest] = keys;
    const found = at(memberOf(roots.get(object.getText()) ?? [], first), ...rest);
    if (!found) throw new Error(`${path} has no ${node.getText()}`);
    return found;
  };

  const fault = (node: ts.TypeNode, value: unknown, place: string): Fault => {
    const wrong = () => `${place || 'the body'} is ${short(value)}, expected ${node.getText().slice(0, 120)}`;
    if (ts.isParenthesizedTypeNode(node)) return fault(node.type, value, place);
    if (ts.isIndexedAccessTypeNode(node)) return fault(resolve(node), value, place);
    if (ts.isArrayTypeNode(node)) {
      if (!Array.isArray(value)) return wrong();
      return first(value, (one, i) => fault(node.elementType, one, `${place}[${i}]`));
    }
    if (ts.isUnionTypeNode(node)) {
      // `Record<string, unknown> | null` is how the generator writes that something may be null.
      const choices = flat(node).filter(
        (one, _, all) => !isAnything(one) || all.every((o) => isAnything(o) || isNull(o)),
      );
      const faults = choices.map((one) => fault(one, value, place));
      if (faults.includes(undefined)) return undefined;
      // The fault that lies deepest is that of the choice which was meant.
      return faults.reduce(
        (a, b) => ((b ?? '').split(' ')[0]!.length > (a ?? '').split(' ')[0]!.length ? b : a),
        wrong(),
      );
    }
    if (ts.isTypeLiteralNode(node)) return objectFault(node, value, place, wrong);
    if (ts.isLiteralTypeNode(node)) {
      if (node.literal.kind === ts.SyntaxKind.NullKeyword) return value === null ? undefined : wrong();
      return value === (ts.isStringLiteral(node.literal) ? node.literal.text : JSON.parse(node.getText()))
        ? undefined
        : wrong();
    }
    if (isAnything(node)) return typeof value === 'object' && value !== null ? undefined : wrong();
    switch (node.kind) {
      case ts.SyntaxKind.StringKeyword:
        return typeof value === 'string' ? undefined : wrong();
      case ts.SyntaxKind.NumberKeyword:
        return typeof value === 'number' && Number.isFinite(value) ? undefined : wrong();
      case ts.SyntaxKind.BooleanKeyword:
        return typeof value === 'boolean' ? undefined : wrong();
      case ts.SyntaxKind.UnknownKeyword:
        return undefined;
      case ts.SyntaxKind.UndefinedKeyword:
        return wrong();
      default:
        // OneOf<[A, B]>
        if (ts.isTypeReferenceNode(node) && node.typeArguments?.[0] && ts.isTupleTypeNode(node.typeArguments[0])) {
          const choices = node.typeArguments[0].elements;
          return choices.some((one) => fault(one, value, place) === undefined) ? undefined : wrong();
        }
        throw new Error(`${path} uses a type that is not known here: ${node.getText()}`);
    }
  };

  const objectFault = (node: ts.TypeLiteralNode, value: unknown, place: string, wrong: () => string): Fault => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong();
    const given = value as Record<string, unknown>;
    const index = node.members.find(ts.isIndexSignatureDeclaration);
    const known = node.members.filter(ts.isPropertySignature);
    const missing = known.find((one) => !one.questionToken && !(nameOf(one) in given));
    if (missing) return `${place}.${nameOf(missing)} is missing`;
    return first(Object.entries(given), ([name, one]) => {
      const type = memberOf(known, name) ?? index?.type;
      return type ? fault(type, one, `${place}.${name}`) : `${place}.${name} is not known`;
    });
  };

  return {
    /** @returns undefined when there is no such operation */
    operation(method: string, template: string): Operation | undefined {
      const of = at(memberOf(roots.get('paths') ?? [], template), method.toLowerCase());
      if (!of || !ts.isIndexedAccessTypeNode(of)) return undefined;
      const operation = resolve(of);
      const request = at(operation, 'requestBody', 'content', 'application/json');
      const response = at(operation, 'responses', '200', 'content', 'application/json');
      const query = at(operation, 'parameters', 'query');
      return {
        name: literalOf(of.indexType),
        query: (given) =>
          first(Object.keys(given), (name) => (at(query, name) ? undefined : `the parameter ${name} is not known`)),
        request: (body) =>
          request ? fault(request, body, '') : body === undefined ? undefined : 'a body, where none is expected',
        response: (body) => (response ? fault(response, body, '') : 'no response is known'),
      };
    },
  };
}

/** Where a package keeps a file that it does not export. */
export const fileOf = (name: string, path: string) =>
  new URL(path, `file://${createRequire(import.meta.url).resolve(name)}`).pathname;

const first = <T>(all: T[], look: (one: T, i: number) => Fault): Fault => {
  for (const [i, one] of all.entries()) {
    const found = look(one, i);
    if (found !== undefined) return found;
  }
  return undefined;
};
const flat = (node: ts.TypeNode): ts.TypeNode[] => {
  if (ts.isParenthesizedTypeNode(node)) return flat(node.type);
  return ts.isUnionTypeNode(node) ? node.types.flatMap(flat) : [node];
};
const nameOf = (member: ts.PropertySignature) => (member.name as ts.Identifier | ts.StringLiteral).text;
const literalOf = (node: ts.TypeNode) =>
  ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal) ? node.literal.text : '';
const isNull = (node: ts.TypeNode) => ts.isLiteralTypeNode(node) && node.literal.kind === ts.SyntaxKind.NullKeyword;
const isAnything = (node: ts.TypeNode) => ts.isTypeReferenceNode(node) && node.getText() === 'Record<string, unknown>';
const short = (value: unknown) => (JSON.stringify(value) ?? 'undefined').slice(0, 120);
