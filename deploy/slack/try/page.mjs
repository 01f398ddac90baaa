// The page of `alfred slack try`, in a browser.
import { make, show } from './show-node.mjs';

const at = (id) => document.getElementById(id);

const channels = new Map();
const unread = new Set();
let person = { home: undefined, modal: undefined };
let app = 'Alfred';
let as = '';
/** The channel that is shown, or `home`. */
let open = '';
let thread;
let events;

async function act(what) {
  const response = await fetch('/act', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ as, ...what }),
  }).catch(() => undefined);
  const notice = response === undefined ? 'The command has ended.' : await response.text();
  at('notice').textContent = notice;
  at('notice').hidden = notice === '';
  if (notice !== '') setTimeout(() => (at('notice').hidden = true), 6_000);
  return response?.ok === true && notice === '';
}

const timeOf = (ts) => new Date(Number(ts) * 1_000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

function showMessage(channel, message, replies) {
  const press = (use) => act({ do: 'press', channel: channel.id, ts: message.ts, ...use });
  const notes = [
    timeOf(message.ts),
    ...(message.fromApp ? ['app'] : []),
    ...(message.isEdited && !message.isStreaming ? ['edited'] : []),
    ...(message.isPrivate ? ['only visible to you'] : []),
  ];
  const article = make(
    'article',
    {},
    make('div', { className: 'by' }, message.name, make('small', {}, `  ${notes.join(' · ')}`)),
    make('div', { className: 'body' }, ...message.body.map((node) => show(node, press))),
  );
  article.classList.toggle('private', message.isPrivate);
  article.classList.toggle('streaming', message.isStreaming);
  if (message.reactions.length > 0) article.append(make('div', { className: 'tag' }, message.reactions.join('  ')));
  if (replies !== undefined) {
    const words = replies === 0 ? 'Reply in thread' : `${replies} ${replies === 1 ? 'reply' : 'replies'}`;
    const button = make('button', { type: 'button', className: 'replies' }, words);
    button.addEventListener('click', () => openThread(message.ts));
    article.append(button);
  }
  if (!message.isPrivate) {
    const about = make('button', { type: 'button', className: 'replies' }, `Ask ${app} about this`);
    about.addEventListener('click', () => act({ do: 'ask-about', channel: channel.id, ts: message.ts }));
    article.append(about);
  }
  return article;
}

/** Replaces what is shown, and stays at the end where the end was shown. */
function replace(section, children) {
  const wasAtEnd = section.scrollHeight - section.scrollTop - section.clientHeight < 60;
  const { scrollTop } = section;
  section.replaceChildren(...children);
  section.scrollTop = wasAtEnd ? section.scrollHeight : scrollTop;
}

function showChannels() {
  const entry = (id, name) => {
    const button = make('button', { type: 'button' }, name);
    button.setAttribute('aria-current', String(open === id));
    button.classList.toggle('unread', unread.has(id));
    button.addEventListener('click', () => openChannel(id));
    return make('li', {}, button);
  };
  at('channels').replaceChildren(
    ...[...channels.values()].map(({ id, kind, name }) =>
      entry(id, `${kind === 'im' ? '●' : '#'} ${name}${kind === 'private' ? ' (private)' : ''}`),
    ),
    entry('home', `⌂ Home of ${app}`),
  );
}

function showMain() {
  const isHome = open === 'home';
  at('write').hidden = isHome;
  const channel = channels.get(open);
  if (isHome) {
    at('title').textContent = `Home of ${app}`;
    const body = person.home ?? ['Nothing is shown here yet.'];
    const press = (use) => act({ do: 'press-home', ...use });
    return replace(at('messages'), [make('div', { className: 'body' }, ...body.map((node) => show(node, press)))]);
  }
  if (!channel) return;
  at('title').textContent = channel.kind === 'im' ? `${channel.name} (direct messages)` : `#${channel.name}`;
  at('write').querySelector('textarea').placeholder =
    channel.kind === 'im' ? `Ask ${app}` : `Write here; @${app} asks ${app}`;
  const all = channel.messages;
  const top = all.filter(({ ts, thread: root }) => root === undefined || root === ts);
  const prompts = channel.prompts.map(({ title, message }) => {
    const button = make('button', { type: 'button' }, title);
    button.addEventListener('click', () => act({ do: 'write', channel: open, text: message }));
    return button;
  });
  replace(at('messages'), [
    ...top.map((message) =>
      showMessage(channel, message, all.filter(({ ts, thread: root }) => root === message.ts && ts !== root).length),
    ),
    ...(top.length === 0 && prompts.length > 0 ? [make('div', { className: 'actions' }, ...prompts)] : []),
  ]);
}

function showThread() {
  const channel = channels.get(open);
  const root = channel?.messages.find(({ ts }) => ts === thread);
  at('thread').hidden = root === undefined;
  if (!root) return;
  const replies = channel.messages.filter(({ ts, thread: of }) => of === thread && ts !== thread);
  replace(
    at('replies'),
    [root, ...replies].map((message) => showMessage(channel, message)),
  );
  const work = channel.threads.find(({ ts }) => ts === thread);
  at('status').replaceChildren();
  if (!work) return;
  at('status').append(work.status ? `${app} ${work.status}` : `${app} writes …`);
  if (!work.canStop) return;
  const stop = make('button', { type: 'button' }, 'Stop');
  stop.addEventListener('click', () => act({ do: 'stop', channel: open, thread }));
  at('status').append(stop);
}

function showModal() {
  const dialog = at('modal');
  const { modal } = person;
  if (!modal) return dialog.close();
  const press = (use) => act({ do: 'press-modal', ...use });
  const close = make('button', { type: 'button' }, 'Close');
  close.addEventListener('click', () => act({ do: 'close' }));
  const submit = make('button', { type: 'submit', className: 'primary' }, modal.submit ?? '');
  const form = make(
    'form',
    {},
    make('h4', {}, modal.title),
    make('div', { className: 'body' }, ...modal.body.map((node) => show(node, press))),
    make('div', { className: 'actions' }, ...(modal.submit === undefined ? [] : [submit]), close),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    act({ do: 'submit', values: valuesOf(form) });
  });
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
}

/** What was filled in, by name. What is empty is left out. */
function valuesOf(form) {
  const values = {};
  for (const field of form.querySelectorAll('[name]')) {
    if (field.type === 'checkbox') {
      values[field.name] ??= [];
      if (field.checked) values[field.name].push(field.value);
    } else if (field.value !== '') values[field.name] = field.value;
  }
  return values;
}

/** A file as the page sends it. */
function readFile(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve({ name: file.name, content: reader.result.split(',')[1] ?? '' }));
    reader.addEventListener('error', () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}

function openChannel(id) {
  open = id;
  thread = undefined;
  unread.delete(id);
  showAll();
  if (id === 'home') void act({ do: 'open', tab: 'home' });
  else if (channels.get(id)?.kind === 'im') void act({ do: 'open', tab: 'messages' });
}

function openThread(ts) {
  thread = ts;
  showThread();
  at('reply').querySelector('textarea').focus();
}

function showAll() {
  showChannels();
  showMain();
  showThread();
}

/** A new message in a conversation that is shown opens its thread, where the answer comes. */
function follow(before, channel) {
  const roots = new Set(before?.messages.map(({ ts }) => ts));
  const asked = channel.messages.findLast(({ ts, thread: root, fromApp }) => !roots.has(ts) && !root && !fromApp);
  const answered = channel.messages.find(({ ts, thread: root, fromApp }) => fromApp && root && !roots.has(ts));
  if (before && channel.id === open && asked && channel.kind === 'im') thread = asked.ts;
  else if (before && channel.id === open && answered && thread === undefined) thread = answered.thread;
  else if (before && channel.id !== open) unread.add(channel.id);
}

function connect() {
  events?.close();
  channels.clear();
  unread.clear();
  events = new EventSource(`/events?as=${encodeURIComponent(as)}`);
  const on = (name, run) => events.addEventListener(name, (event) => run(JSON.parse(event.data)));
  on('start', ({ people, as: id, app: name }) => {
    [as, app] = [id, name];
    at('person').replaceChildren(
      ...people.map(({ id: value, realName }) => new Option(realName, value, false, value === id)),
    );
  });
  on('channel', (channel) => {
    const before = channels.get(channel.id);
    channels.set(channel.id, channel);
    follow(before, channel);
    showAll();
  });
  on('person', (now) => {
    const before = JSON.stringify(person.modal);
    person = now;
    if (open === '') openChannel([...channels.values()].find(({ kind }) => kind === 'im')?.id ?? '');
    if (open === 'home') showMain();
    if (JSON.stringify(now.modal) !== before) showModal();
  });
}

for (const [id, place] of [
  ['write', () => ({ channel: open })],
  ['reply', () => ({ channel: open, thread })],
]) {
  const box = at(id).querySelector('textarea');
  const picker = at(id).querySelector('input');
  at(id).addEventListener('submit', async (event) => {
    event.preventDefault();
    const text = box.value.trim();
    const files = await Promise.all([...picker.files].map(readFile));
    if (text === '' && files.length === 0) return;
    box.value = '';
    picker.value = '';
    const what = files.length === 0 ? { do: 'write' } : { do: 'attach', files };
    if (!(await act({ ...what, ...place(), text })) && box.value === '' && !text.startsWith('/')) box.value = text;
  });
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    at(id).requestSubmit();
  });
}
at('close-thread').addEventListener('click', () => {
  thread = undefined;
  showThread();
});
at('person').addEventListener('change', ({ target }) => {
  as = target.value;
  [open, thread] = ['', undefined];
  connect();
});
at('modal').addEventListener('cancel', (event) => {
  event.preventDefault();
  act({ do: 'close' });
});
connect();
