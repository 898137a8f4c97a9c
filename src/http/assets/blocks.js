// Blocks of a message as elements. Everything that came from outside goes in as text, never as markup.

/** An element with properties and children. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name in element && name !== 'role') element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

function drawing(path) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

const BIDI_MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const safeUrl = (url) => {
  try { return ['http:', 'https:', 'tel:', 'mailto:'].includes(new URL(url, location.href).protocol) ? url : null; } catch { return null; }
};

/** Text with its addresses made links, and its numbers kept in one direction. */
function prose(text, links) {
  const parts = text.split(/(https?:\/\/[^\s<>"'，。；！？、（）【】]+|[A-Za-z]{0,6}\d[\dA-Za-z-]{6,})/);
  return parts.filter(Boolean).map((part) => {
    if (/^https?:\/\//.test(part)) return links ? make('a', { href: part, target: '_blank', rel: 'noopener noreferrer' }, part) : part;
    return /^[A-Za-z]{0,6}\d[\dA-Za-z-]{6,}$/.test(part) ? make('bdi', {}, part) : part;
  });
}

async function copyText(text) {
  const plain = text.replace(BIDI_MARKS, '');
  try {
    await navigator.clipboard.writeText(plain);
    return true;
  } catch {
    // Plain http and old web views have no clipboard object.
    const area = make('textarea', { value: plain, className: 'hush', readOnly: true });
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

const TONES = {
  delivered: 'good', picked_up: 'move', in_transit: 'move', out_for_delivery: 'move', ready_for_pickup: 'warn',
  attempt_failed: 'warn', exception: 'warn', returning: 'warn', lost: 'bad',
};
/** How much of the way is done, in quarters; no bar for what does not go forward. */
const STAGES = { info_received: 0, picked_up: 1, in_transit: 1, out_for_delivery: 2, attempt_failed: 2, ready_for_pickup: 3, delivered: 4 };
/** Scans shown before "show all". */
const SHORT = 2;

/** A parcel with its way so far; `texts` and `locale` are the page's. */
function parcelCard(block, texts, locale) {
  const stage = STAGES[block.status];
  const copy = make('button', { type: 'button', className: 'copy', 'aria-label': texts['chat-copy'], title: texts['chat-copy'] },
    drawing('M9 9h10v11H9zM5 15V4h10'), make('span', { role: 'status' }));
  copy.addEventListener('click', async () => {
    if (!await copyText(block.number)) return;
    const note = copy.querySelector('span');
    note.textContent = texts['chat-copied'] ?? '';
    copy.querySelector('path').setAttribute('d', 'm5 12 5 5 9-10');
    setTimeout(() => {
      note.textContent = '';
      copy.querySelector('path').setAttribute('d', 'M9 9h10v11H9zM5 15V4h10');
    }, 2000);
  });
  const card = make('section', { className: 'parcel', 'aria-label': `${block.carrier_text || block.carrier} ${block.number}`, 'data-tone': TONES[block.status] ?? 'rest', 'data-status': block.status },
    make('div', { className: 'head' },
      make('span', { className: 'status' }, make('i', { 'aria-hidden': 'true' }), block.status_text),
      block.eta?.text ? make('p', { className: 'eta' }, block.eta.text) : null,
      stage === undefined ? null : make('div', { className: 'track', 'aria-hidden': 'true' },
        ...[0, 1, 2, 3].map((step) => make('i', { className: step < stage ? 'done' : step === stage ? 'now' : '' })))),
    make('div', { className: 'number' },
      make('span', { className: 'names' }, make('span', {}, block.carrier_text || block.carrier), make('bdi', { dir: 'ltr' }, block.number)), copy));

  const events = block.events ?? [];
  if (!events.length) return card;
  const all = events.length <= SHORT + 1;
  const list = make('ol', { className: 'events', id: `events-${newId().slice(0, 8)}`, 'aria-label': texts['chat-timeline'] },
    ...events.map((event, at) => make('li', { className: [at === 0 && 'newest', !all && at >= SHORT && 'more', !all && at === SHORT - 1 && 'last-short'].filter(Boolean).join(' ') },
      ...prose(event.text, false),
      make('time', { dateTime: event.at }, [event.at_text || moment(event.at, locale), event.place && !event.text.includes(event.place) ? event.place : ''].filter(Boolean).join(' · ')))));
  card.append(list);
  if (all) return card;
  const label = make('span', {}, texts['chat-timeline-more'] ?? '');
  const expand = make('button', { type: 'button', className: 'expand', 'aria-expanded': 'false', 'aria-controls': list.id }, label, drawing('m6 9 6 6 6-6'));
  expand.addEventListener('click', () => {
    const open = card.classList.toggle('open');
    expand.setAttribute('aria-expanded', String(open));
    label.textContent = texts[open ? 'chat-timeline-less' : 'chat-timeline-more'] ?? '';
  });
  card.append(expand);
  return card;
}

/** A wall time without zone stays as the carrier gave it; an instant is shown in the viewer's zone. */
function moment(at, locale) {
  if (!/(Z|[+-]\d\d:?\d\d)$/.test(at)) return at.replace('T', ' ');
  const date = new Date(at);
  return Number.isNaN(date.valueOf()) ? at : date.toLocaleString(locale, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

/** The elements of one block; `choose(choice)` is called when one is taken. A block of a kind to come shows its text. */
function blockElements(block, from, texts, locale, choose) {
  const bubble = (text) => (text ? [make('div', { className: 'bubble', dir: 'auto' }, ...prose(text, from !== 'buyer'))] : []);
  if (block.type === 'parcel') return [parcelCard(block, texts, locale)];
  if (block.type === 'link') {
    const url = safeUrl(block.url);
    return url ? [make('a', { className: 'link', href: url, target: '_blank', rel: 'noopener noreferrer' }, block.text || block.url)] : bubble(block.text);
  }
  if (block.type === 'choices') {
    const group = make('div', { className: 'choices', role: 'group', 'aria-label': block.text },
      ...(block.choices ?? []).map((choice) => {
        const button = make('button', { type: 'button' }, make('span', { dir: 'auto' }, ...prose(choice.label, false)));
        button.addEventListener('click', () => choose(choice));
        return button;
      }));
    return [...bubble(block.text), group];
  }
  return bubble(block.text);
}
