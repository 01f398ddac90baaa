// What a message shows comes as a tree (shown.ts): words become text, and only the elements below are made.
const tags = new Set(
  'a blockquote br button code del div em h4 hr li ol p pre select span strong table td th tr ul'.split(' '),
);
const kinds = new Set(['context', 'actions', 'primary', 'danger', 'mention', 'steps', 'header']);

/** @param children texts and elements */
export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** @param press what a press of a button in it does, with the action and the choice */
export function show(node, press) {
  if (typeof node === 'string') return document.createTextNode(node);
  const { tag, children, href, kind, use } = node;
  if (tag === 'field') return showField(use);
  if (tag === 'select') return showSelect(node, press);
  const made = make(tags.has(tag) ? tag : 'span', {}, ...children.map((child) => show(child, press)));
  if (kinds.has(kind)) made.classList.add(kind);
  if (tag === 'a' && /^(https?:\/\/|mailto:|\/files\/F\w+$)/i.test(href ?? ''))
    Object.assign(made, { href, target: '_blank', rel: 'noopener noreferrer' });
  if (tag === 'button') {
    made.type = 'button';
    made.addEventListener('click', () => isConfirmed(use) && press({ actionId: use.actionId, choice: use.choice }));
  }
  return made;
}

const isConfirmed = ({ confirm: question }) => question === undefined || confirm(question);

function showSelect({ children, use }, press) {
  const label = typeof children[0] === 'string' ? children[0] : '';
  const select = make('select', { ariaLabel: label });
  if (use.value === undefined) select.append(make('option', { value: '', disabled: true, selected: true }, label));
  for (const { value, label: words } of use.options)
    select.append(new Option(words, value, false, value === use.value));
  select.addEventListener('change', () => isConfirmed(use) && press({ actionId: use.actionId, choice: select.value }));
  return select;
}

function showField({ actionId: name, input, options = [], value }) {
  if (input === 'lines') return make('textarea', { name, rows: 5, value });
  if (input === 'one') {
    const select = make('select', { name });
    if (!value) select.append(new Option('', ''));
    for (const option of options) select.append(new Option(option.label, option.value, false, option.value === value));
    return select;
  }
  if (input === 'several')
    return make(
      'div',
      {},
      ...options.map((option) =>
        make(
          'label',
          {},
          make('input', { type: 'checkbox', name, value: option.value, checked: value.includes(option.value) }),
          ` ${option.label} `,
        ),
      ),
    );
  return make('input', { type: input === 'date' ? 'date' : 'text', name, value });
}
