// The chat page: shows what was said, takes in what the buyer says. Runs alone or in the widget's frame.
// Every word on it comes from the facts that the service put into the page.

const facts = JSON.parse(document.getElementById('facts').textContent);
const { texts, locale, limits } = facts;
const at = (id) => document.getElementById(id);
const [chat, log, scroll, form, input, sendButton, quick, newer] = ['chat', 'log', 'scroll', 'composer', 'text', 'send', 'quick', 'newer'].map(at);
const options = new URLSearchParams(location.search);
const framed = window.parent !== window;
const prefix = `yishi:${facts.shop}:${framed ? 'framed:' : ''}`;
const base = `/chat/${encodeURIComponent(facts.shop)}`;

// Looks

const luminance = (hex) => {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

/** The shop's colour, with words on it and words of it always readable. */
function paint(color) {
  if (!/^#[0-9a-f]{6}$/i.test(color ?? '')) return;
  const style = document.documentElement.style;
  const ground = luminance(getComputedStyle(document.documentElement).getPropertyValue('--card').trim().replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3'));
  const toward = ground > 0.5 ? 0 : 255;
  let word = color;
  for (let step = 1; contrast(luminance(word), ground) < 4.6 && step <= 20; step += 1) {
    word = `#${[1, 3, 5].map((i) => Math.round(parseInt(color.slice(i, i + 2), 16) * (1 - step / 20) + toward * step / 20).toString(16).padStart(2, '0')).join('')}`;
  }
  style.setProperty('--accent', color);
  style.setProperty('--accent-text', word);
  style.setProperty('--on-accent', contrast(luminance(color), 1) >= 4.5 ? '#ffffff' : '#111111');
}

function dress(theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  paint(options.get('color'));
}
document.documentElement.classList.toggle('framed', framed);
dress(options.get('theme'));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => paint(options.get('color')));

// The log

const shown = new Map(); // id → element
let lastDay = '';
let open = !framed; // seen by the buyer
let caughtUp = false;
let unread = 0;

const nearEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 96;
let following = true; // until the buyer scrolls up
let ownScroll = 0;

function scrollTo(top, smooth) {
  ownScroll = Date.now();
  scroll.scrollTo({ top, behavior: smooth && !matchMedia('(prefers-reduced-motion: reduce)').matches ? 'smooth' : 'auto' });
}

function toEnd(smooth) {
  following = true;
  scrollTo(scroll.scrollHeight, smooth);
  newer.hidden = true;
}

/** An answer longer than the page is read from its start, with the question above it. */
function toMessage(node) {
  const question = node.previousElementSibling?.offsetHeight < 120 ? node.previousElementSibling : node;
  scrollTo(Math.min(question.offsetTop - log.offsetTop, scroll.scrollHeight), true);
}

function dayLine(date) {
  const day = date.toDateString();
  if (day === lastDay) return null;
  lastDay = day;
  const today = new Date();
  const label = day === today.toDateString() && texts['chat-today'] ? texts['chat-today']
    : date.toLocaleDateString(locale, { month: 'long', day: 'numeric', weekday: 'short', ...(date.getFullYear() === today.getFullYear() ? {} : { year: 'numeric' }) });
  return make('div', { className: 'day' }, label);
}

const names = { buyer: texts['chat-you'], bot: texts['chat-bot'], staff: texts['chat-staff'] };

function element(message) {
  const date = new Date(message.at);
  const clock = date.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const node = make('article', { className: `message ${message.from}`, 'data-from': message.from, 'data-id': message.id, 'data-at': String(date.valueOf()) },
    make('span', { className: 'name' }, [names[message.from], clock].filter(Boolean).join(' · ')),
    ...message.blocks.flatMap((block) => blockElements(block, message.from, texts, locale, (choice) => say({ choice: choice.id }, choice.label))));
  if (message.from === 'buyer') node.title = clock;
  return node;
}

/** A message soon after another of the same person stands closer to it, without the name. */
function join(node) {
  const { from, at: before } = node.previousElementSibling?.dataset ?? {};
  node.classList.toggle('follows', from === node.dataset.from && node.dataset.at - before < 300_000);
}

/** Puts a message at its place: before what is still on its way. */
function place(node) {
  const pending = log.querySelector('.message.pending');
  const before = node.classList.contains('pending') ? null : pending;
  // What waits from an earlier visit stands below the history that is still to come.
  const day = before || caughtUp || !node.classList.contains('pending') ? dayLine(new Date(Number(node.dataset.at))) : null;
  if (day) log.insertBefore(day, before);
  if (caughtUp) node.classList.add('fresh');
  log.insertBefore(node, before);
  join(node);
  delete chat.dataset.empty;
}

/** Once the buyer said something, earlier choices are history. */
function settleChoices(label) {
  for (const button of log.querySelectorAll('.choices button:not(:disabled)')) {
    if (button.textContent === label) button.classList.add('taken');
    button.disabled = true;
  }
  delete chat.dataset.choosing;
}

function receive(message) {
  const known = shown.get(message.id);
  if (known && !known.classList.contains('pending')) return;
  if (message.from === 'buyer') {
    outbox.confirm(message.id);
    settleChoices(message.blocks.map((block) => block.text ?? '').join(''));
  }
  if (known) {
    known.classList.remove('pending', 'waiting', 'failed');
    known.querySelector('.stamp')?.remove();
    const first = log.querySelector('.message.pending');
    if (first && first.compareDocumentPosition(known) & Node.DOCUMENT_POSITION_FOLLOWING) log.insertBefore(known, first);
    join(known);
  } else {
    const node = element(message);
    shown.set(message.id, node);
    place(node);
  }
  if (message.blocks.some((block) => block.type === 'choices')) chat.dataset.choosing = '';
  if (message.from !== 'buyer') {
    typing(false);
    if (caughtUp && !open) tell('unread', { unread: unread += 1 });
  }
  if (!caughtUp) toEnd(false);
  else if (following) (message.from === 'buyer' ? toEnd(true) : toMessage(shown.get(message.id)));
  else if (message.from !== 'buyer') newer.hidden = false;
}

function typing(on) {
  at('typing').hidden = !on;
  if (on && following) toEnd(true);
}

/** How far a message of the buyer's own has come. */
function mark(item) {
  const node = shown.get(item.id);
  if (!node?.classList.contains('pending')) return;
  node.classList.toggle('waiting', item.state === 'waiting');
  node.classList.toggle('failed', item.state === 'failed');
  node.querySelector('.stamp')?.remove();
  if (item.state === 'sent') return;
  const stamp = make('div', { className: 'stamp' }, texts[item.state === 'failed' ? 'chat-failed' : 'chat-sending'] ?? '');
  if (item.state === 'failed') {
    const retry = make('button', { type: 'button' }, texts['chat-retry'] ?? '');
    retry.addEventListener('click', () => outbox.retry(item.id));
    stamp.append(retry);
  }
  node.append(stamp);
  if (following) toEnd(false);
}

function showPending(item) {
  const node = element({ id: item.id, at: new Date(item.at).toISOString(), from: 'buyer', blocks: [{ type: 'text', text: item.label }] });
  node.classList.add('pending');
  shown.set(item.id, node);
  place(node);
  // "Sending" is said only when it takes a while.
  setTimeout(() => mark(outbox.items.find((one) => one.id === item.id) ?? { ...item, state: 'sent' }), 500);
}

// The session

let session = null; // {token, who}
let stream = null;
let identity = facts.identity ?? null;
let opening = null;
let reopened = 0;

/** Whose session it is, without keeping who. */
function fingerprint(token) {
  if (!token) return '';
  let subject = token;
  try {
    const json = atob(token.split('.')[0].replaceAll('-', '+').replaceAll('_', '/'));
    subject = JSON.parse(json).sub ?? token;
  } catch { /* not a signed token: taken as it is */ }
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(subject)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16);
}

/** Begins anew for this person, or goes on with the session that this browser keeps for them. */
function begin() {
  stream?.stop();
  stream = null;
  const who = fingerprint(identity);
  try { session = JSON.parse(keep.read(`${prefix}session`)); } catch { session = null; }
  if (session && session.who !== who) {
    forget();
    outbox.clear();
    for (const node of log.querySelectorAll('.day, [data-id]')) node.remove();
    shown.clear();
    lastDay = '';
  }
  if (session) listen();
  else if (identity || outbox.items.length) openSession().catch(() => setTimeout(() => outbox.kick(), backoff(1)));
  else ready();
  outbox.pump();
}

function forget() {
  session = null;
  keep.drop(`${prefix}session`);
}

/** One session at a time is opened; whoever needs it waits for the same one. */
function openSession() {
  opening ??= (async () => {
    const answer = await post('/sessions', { locale, ...(identity ? { identity } : {}) });
    if (answer.status === 401 && identity) {
      identity = null;
      tell('identity-refused');
      return openAnonymous();
    }
    return keepSession(answer);
  })().finally(() => { opening = null; });
  return opening;
}
const openAnonymous = async () => keepSession(await post('/sessions', { locale }));

async function keepSession(answer) {
  if (answer.status !== 201) throw answer;
  session = { token: (await answer.json()).token, who: fingerprint(identity) };
  keep.write(`${prefix}session`, JSON.stringify(session));
  listen();
}

const post = (path, body) => fetch(base + path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', ...(session ? { Authorization: `Bearer ${session.token}` } : {}) },
  body: JSON.stringify(body),
  signal: AbortSignal.timeout?.(20_000),
});

function listen(last = '') {
  stream?.stop();
  stream = new Stream(`${base}/events`, session.token, {
    message: receive,
    ready,
    typing,
    link: linkState,
    gone() {
      forget();
      // Not again and again: a service that refuses its own tokens is broken.
      if (Date.now() - reopened < 60_000) return linkState('offline');
      reopened = Date.now();
      openSession().catch(() => linkState('offline'));
    },
  }, last);
}

function ready() {
  if (!caughtUp) toEnd(false);
  caughtUp = true;
  log.setAttribute('aria-busy', 'false');
  chat.dataset.ready = '';
}

let linkTimer = 0;
function linkState(state) {
  clearTimeout(linkTimer);
  const now = () => {
    chat.dataset.link = state;
    at('state').textContent = texts[state === 'connecting' ? 'chat-connecting' : 'chat-title'] ?? '';
    at('offline').hidden = state !== 'offline' && navigator.onLine;
  };
  // A short break is not worth a word.
  if (state === 'connecting') linkTimer = setTimeout(now, 800);
  else now();
}

/** Sends one message of the outbox. */
async function deliver(item) {
  if (!session) await openSession();
  const answer = await post('/messages', { id: item.id, ...item.said });
  if (answer.status === 202) return 'sent';
  if (answer.status === 401) {
    forget();
    return 0;
  }
  if (answer.status === 429 || answer.status === 408 || answer.status >= 500) return 1000 * (Number(answer.headers.get('Retry-After')) || 0);
  return 'failed';
}

const outbox = new Outbox(`${prefix}out:`, deliver, mark);

function say(said, label) {
  caughtUp = caughtUp || !session;
  settleChoices(label);
  showPending(outbox.add(said, label));
  toEnd(true);
  if (!matchMedia('(pointer: coarse)').matches) input.focus();
}

// The composer

const tooLong = (text) => [...text].length > limits.chars || new TextEncoder().encode(text).length > limits.bytes;

function fit() {
  while (tooLong(input.value)) input.value = [...input.value].slice(0, -1 - Math.floor(input.value.length / 50)).join('');
  input.style.height = '36px';
  input.style.height = `${Math.min(input.scrollHeight, 132)}px`;
  sendButton.disabled = !input.value.trim();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text) return;
  input.value = '';
  fit();
  say({ text }, text);
  input.focus();
});
input.addEventListener('input', fit);
input.addEventListener('keydown', (event) => {
  // While an input method composes, Enter takes its candidate (229: browsers that end composing first).
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  form.requestSubmit();
});
for (const key of ['chat-quick-track', 'chat-quick-eta', 'chat-quick-list', 'chat-quick-human']) {
  if (!texts[key]) continue;
  const button = make('button', { type: 'button' }, texts[key]);
  button.addEventListener('click', () => say({ text: texts[key] }, texts[key]));
  quick.append(button);
}
newer.addEventListener('click', () => {
  toEnd(true);
  input.focus();
});
scroll.addEventListener('scroll', () => {
  if (nearEnd()) newer.hidden = true;
  if (Date.now() - ownScroll > 800) following = nearEnd();
}, { passive: true });

// The frame around

const parentOrigin = framed ? options.get('parent') : null;
const trusted = framed && (parentOrigin === location.origin || facts.origins.includes('*') || facts.origins.some((origin) => origin.replace(/\/$/, '') === parentOrigin));

function tell(type, more = {}) {
  if (trusted) window.parent.postMessage({ yishi: type, ...more }, parentOrigin);
}

function setOpen(value) {
  open = value;
  if (!open) return;
  tell('unread', { unread: unread = 0 });
  toEnd(false);
  if (!matchMedia('(pointer: coarse)').matches) input.focus();
}

if (framed) {
  const started = setTimeout(begin, 3000); // a page around us that never says hello
  window.addEventListener('message', (event) => {
    if (!trusted || event.source !== window.parent || event.origin !== parentOrigin) return;
    const { yishi: type, ...rest } = event.data ?? {};
    if (type === 'hello' || type === 'identity') {
      clearTimeout(started);
      identity = typeof rest.identity === 'string' && rest.identity ? rest.identity : facts.identity ?? null;
      begin();
    }
    if (type === 'hello' || type === 'open') setOpen(Boolean(rest.open));
    if (type === 'theme') dress(rest.theme);
  });
  at('close').hidden = !trusted;
  at('close').addEventListener('click', () => tell('close'));
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !event.isComposing) tell('close'); });
}

// Begin

if (texts['chat-greeting']) {
  log.append(make('article', { id: 'greeting', className: 'message bot' }, make('span', { className: 'name' }, names.bot ?? ''),
    make('div', { className: 'bubble' }, texts['chat-greeting'])));
}
if (keep.read(`${prefix}session`)) delete chat.dataset.empty;
for (const item of outbox.items) {
  showPending(item);
  mark(item);
}
fit();

const wake = () => {
  at('offline').hidden = navigator.onLine;
  if (!navigator.onLine) return linkState('offline');
  stream?.kick();
  outbox.kick();
};
window.addEventListener('online', wake);
window.addEventListener('offline', wake);
// A tab long out of sight gives its connection back: browsers allow six to one host.
let hidden = 0;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hidden);
  if (document.hidden) {
    hidden = setTimeout(() => { stream?.stop(); hidden = -1; }, 300_000);
  } else {
    if (hidden === -1 && session) listen(stream?.last);
    hidden = 0;
    wake();
  }
});
// iOS lays its keyboard over the page: keep to what is visible.
window.visualViewport?.addEventListener('resize', () => {
  const { height, scale } = window.visualViewport;
  if (scale === 1) chat.style.maxHeight = `${height}px`;
  if (following) toEnd(false);
});

if (framed) tell('ready');
else {
  begin();
  if (!matchMedia('(pointer: coarse)').matches) input.focus();
}
