import { relative, sep } from 'node:path';

// Keeps words out of names and comments that make a reader read a line twice. Texts in strings are not checked here:
// a string may be data. test/docs checks the pages, the help texts and the texts of the API with the same list. The
// lists are quoted, so that this file passes too.

/** Refused in names, comments, pages, help texts and texts of the API, with what to write instead. */
export const everywhere = new Map([
  ['anew', 'again'],
  ['aside', 'separately; for a folder: scratch'],
  ['nobody', 'no user, no other worker, no one'],
  ['patience', 'deadline, timeout, backoff'],
  ['said', 'reported, stored, requested; for a variable: the noun of the thing'],
  ['somebody', 'a user, a person, another worker'],
  ['someone', 'a user, a person, another worker'],
  ['told', 'reported, returned, informed; for a variable: the noun of the thing'],
  ['truth', 'reconciliation'],
  ['whatever', 'any, regardless of'],
  ['whichever', 'any, either'],
  ['whoever', 'the caller, a user, the process that'],
  ['whomever', 'the caller, a user'],
]);

/** Refused in names only: in a sentence these words are plain. */
const inNames = new Map([
  ['held', 'locked, leased, stored'],
  ['house', 'stack, harness'],
  ['journey', 'run'],
  ['look', 'check, read, poll'],
  ['looks', 'attempts, reads'],
  ['tell', 'report, notify, send'],
  ['tells', 'reports'],
  ['talk', 'conversation'],
]);

/** Words of a name: `createTaskReader2` and `create-task-reader` give create, task, reader. */
const wordsOf = (name) => name.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g)?.map((word) => word.toLowerCase()) ?? [];

/** Whether the owner of a name is another module: `thing.name`, or `name` in `import { name as other }`. */
function isNameOfAnother(node) {
  const { parent } = node;
  if (parent?.type === 'MemberExpression') return parent.property === node && !parent.computed;
  if (parent?.type === 'TSQualifiedName') return parent.right === node;
  return parent?.type === 'ImportSpecifier' && parent.imported === node && parent.local.name !== node.name;
}

/** `{ name }` has two nodes in one place, the key and the value. The value is checked. */
const isShorthandKey = (node) => node.parent?.type === 'Property' && node.parent.shorthand && node.parent.key === node;

/** Whether the node names a field of an object or a type. */
const isFieldName = (node) =>
  ['Property', 'TSPropertySignature'].includes(node.parent?.type) && node.parent.key === node && !node.parent.computed;

/** @type {import('eslint').Rule.RuleModule} */
export const plainWords = {
  meta: {
    type: 'suggestion',
    schema: [
      {
        type: 'object',
        properties: { wireNames: { type: 'array', items: { type: 'string' } } },
        additionalProperties: false,
      },
    ],
    defaultOptions: [{ wireNames: [] }],
    docs: { description: 'plain words in names and comments; `wireNames` are field names that recorded data fix' },
    messages: { word: '"{{word}}" is not plain English. Instead of it: {{instead}}.' },
  },
  create(context) {
    const { wireNames } = context.options[0];
    const report = (loc, word, instead) => context.report({ loc, messageId: 'word', data: { word, instead } });
    const checkWords = (name, loc) => {
      for (const word of wordsOf(name)) {
        const instead = everywhere.get(word) ?? inNames.get(word);
        if (instead) report(loc, word, instead);
      }
    };
    const checkName = (node) => {
      if (isNameOfAnother(node) || isShorthandKey(node)) return;
      if (wireNames.includes(node.name) && isFieldName(node)) return;
      checkWords(node.name, node.loc);
    };
    const checkComment = ({ value, loc }) => {
      for (const [index, line] of value.split('\n').entries())
        for (const [word] of line.matchAll(/[A-Za-z]+/g)) {
          const instead = everywhere.get(word.toLowerCase());
          if (instead) report({ line: loc.start.line + index, column: 0 }, word, instead);
        }
    };
    return {
      Identifier: checkName,
      PrivateIdentifier: checkName,
      Program() {
        for (const part of relative(context.cwd, context.filename).split(sep))
          checkWords(part.replace(/\..*$/, ''), { line: 1, column: 0 });
        context.sourceCode.getAllComments().forEach(checkComment);
      },
    };
  },
};
