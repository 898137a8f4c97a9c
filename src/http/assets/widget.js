// Puts the chat on a shop's page: one script tag, a launcher button, and a frame that keeps styles and storage apart.
//   <script async src="https://chat.example/widget.js" data-shop="demo"></script>
// Further data- attributes: locale, position (left, right), color (#rrggbb), theme (auto, light, dark), identity (the signed
// token). window.yishi has open(), close(), toggle(), setIdentity(token), setTheme(theme). Events on window: yishi:ready,
// yishi:unread (detail.unread), yishi:identity-refused.

(() => {
  const script = document.currentScript;
  if (!script?.dataset.shop || window.yishi) return;
  const { shop, locale, position, color, theme } = script.dataset;
  let { identity } = script.dataset;
  const service = new URL(script.src, location.href).origin;
  const base = `${service}/chat/${encodeURIComponent(shop)}`;
  const known = `yishi:${shop}:known`;
  const phone = matchMedia('(max-width: 667px), (max-height: 480px)');

  const style = `
    :host { all: initial; --gap: 20px; --color: #0b6b5d; --word: #fff; --side: auto; font: 400 15px/1.4 system-ui, sans-serif; }
    * { box-sizing: border-box; }
    .launcher {
      position: fixed; bottom: calc(var(--gap) + env(safe-area-inset-bottom)); inset-inline-end: var(--gap); z-index: 2147483000;
      width: 60px; height: 60px; border: 0; border-radius: 50%; background: var(--color); color: var(--word); cursor: pointer; padding: 0;
      display: grid; place-items: center; box-shadow: 0 2px 6px rgb(0 0 0 / 16%), 0 12px 28px -8px rgb(0 0 0 / 34%); transition: transform .16s;
    }
    .launcher:hover { transform: translateY(-2px); }
    .launcher:active { transform: scale(.95); }
    .launcher:focus-visible { outline: 3px solid var(--color); outline-offset: 3px; }
    .launcher svg { grid-area: 1 / 1; width: 32px; height: 32px; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; transition: opacity .16s, transform .16s; }
    .launcher .down, .launcher[aria-expanded="true"] .up { opacity: 0; transform: rotate(-40deg) scale(.6); }
    .launcher[aria-expanded="true"] .down { opacity: 1; transform: none; }
    .badge {
      position: absolute; top: -3px; inset-inline-end: -3px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 99px; background: #c62b20; color: #fff;
      font: 650 12px/22px system-ui, sans-serif; text-align: center; border: 0 solid; box-shadow: 0 0 0 2px #fff;
    }
    [hidden] { display: none !important; }
    .panel {
      position: fixed; bottom: calc(var(--gap) + 76px + env(safe-area-inset-bottom)); inset-inline-end: var(--gap); z-index: 2147483000;
      width: min(400px, calc(100vw - 2 * var(--gap))); height: min(680px, calc(100vh - 76px - 2 * var(--gap))); border-radius: 22px; overflow: hidden; background: Canvas;
      box-shadow: 0 0 0 1px rgb(0 0 0 / 7%), 0 24px 64px -16px rgb(0 0 0 / 36%); transform-origin: bottom right; animation: show .2s cubic-bezier(.2, .8, .3, 1);
    }
    :host([data-position="left"]) .launcher, :host([data-position="left"]) .panel { inset-inline: var(--gap) auto; }
    :host([data-position="left"]) .panel { transform-origin: bottom left; }
    iframe { border: 0; width: 100%; height: 100%; display: block; color-scheme: normal; }
    @keyframes show { from { opacity: 0; transform: translateY(12px) scale(.98); } }
    @media (max-width: 667px), (max-height: 480px) {
      .panel { inset: 0 !important; width: 100%; height: 100vh; height: 100dvh; border-radius: 0; box-shadow: none; }
      .launcher[aria-expanded="true"] { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
    @media print { .launcher, .panel { display: none; } }
  `;

  const host = document.createElement('div');
  if (position === 'left') host.dataset.position = 'left';
  const root = host.attachShadow({ mode: 'open' });
  try {
    // Unlike a style element this needs no leave of the page's content security policy.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(Object.assign(document.createElement('style'), { textContent: style }));
  }
  const picture = (name, path) => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', name);
    svg.setAttribute('aria-hidden', 'true');
    const line = document.createElementNS(svg.namespaceURI, 'path');
    line.setAttribute('d', path);
    svg.append(line);
    return svg;
  };
  const panel = Object.assign(document.createElement('div'), { className: 'panel', id: 'panel', hidden: true });
  panel.setAttribute('role', 'dialog');
  const launcher = Object.assign(document.createElement('button'), { className: 'launcher', type: 'button' });
  launcher.setAttribute('aria-expanded', 'false');
  launcher.setAttribute('aria-controls', 'panel');
  const badge = Object.assign(document.createElement('span'), { className: 'badge', hidden: true });
  badge.setAttribute('aria-hidden', 'true');
  launcher.append(picture('up', 'M4 8.2 12 4l8 4.200v7.600L12 20l-8-4.200zM4.3 8.3 12 12.300l7.7-4M12 12.300V20M8 6.100l7.9 4.1'), picture('down', 'm6 9.5 6 6 6-6'), badge);
  root.append(panel, launcher);

  if (/^#[0-9a-f]{6}$/i.test(color ?? '')) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    host.style.setProperty('--color', color);
    host.style.setProperty('--word', 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) >= 4.5 ? '#fff' : '#111');
  }

  let words = {};
  let unread = 0;
  let frame = null;
  let ready = false;
  let opened = false;
  let scrolled = '';

  const say = (type, detail = {}) => window.dispatchEvent(new CustomEvent(`yishi:${type}`, { detail }));
  const tell = (type, more = {}) => { if (ready) frame.contentWindow.postMessage({ yishi: type, ...more }, service); };

  function label() {
    const name = opened ? words.close : words.launcher;
    launcher.setAttribute('aria-label', [name, unread && !opened ? `${words.unread}: ${unread}` : ''].filter(Boolean).join(' · '));
    launcher.title = name ?? '';
    badge.textContent = unread > 99 ? '99+' : String(unread);
    badge.hidden = !unread || opened;
  }

  function load() {
    if (frame) return;
    const url = new URL(base);
    for (const [key, value] of Object.entries({ locale, color, theme, parent: location.origin })) if (value) url.searchParams.set(key, value);
    frame = Object.assign(document.createElement('iframe'), { src: url.href, title: words.title ?? '', allow: 'clipboard-write' });
    panel.append(frame);
    try { localStorage.setItem(known, '1'); } catch { /* then the frame waits for a tap next time */ }
  }

  function set(open) {
    if (open === opened) return;
    opened = open;
    if (open) load();
    panel.hidden = !open;
    launcher.setAttribute('aria-expanded', String(open));
    if (open) unread = 0;
    label();
    tell('open', { open });
    const page = document.documentElement.style;
    if (open && phone.matches) {
      scrolled = page.overflow;
      page.overflow = 'hidden';
    } else if (!open) page.overflow = scrolled;
    if (open) frame.focus();
    else launcher.focus({ preventScroll: true });
  }

  window.addEventListener('message', (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== service) return;
    const { yishi: type, unread: count } = event.data ?? {};
    if (type === 'ready') {
      ready = true;
      tell('hello', { identity, open: opened });
      say('ready');
    } else if (type === 'close') set(false);
    else if (type === 'unread' && Number.isInteger(count)) {
      unread = count;
      label();
      say('unread', { unread });
    } else if (type === 'identity-refused') say('identity-refused');
  });
  launcher.addEventListener('click', () => set(!opened));
  host.addEventListener('keydown', (event) => { if (event.key === 'Escape') set(false); });

  window.yishi = Object.freeze({
    open: () => set(true),
    close: () => set(false),
    toggle: () => set(!opened),
    /** A new signed token, or null when the buyer logs out. */
    setIdentity(token) {
      identity = token ?? undefined;
      tell('identity', { identity });
      if (identity) load();
    },
    setTheme: (name) => tell('theme', { theme: name }),
  });

  const start = async () => {
    document.body.append(host);
    const query = locale ? `?locale=${encodeURIComponent(locale)}` : '';
    try {
      const answer = await fetch(`${base}/widget.json${query}`, { credentials: 'omit' });
      // No such shop, or this page is not one of its allowed_origins: nothing would work.
      if (answer.status === 403 || answer.status === 404) return host.remove();
      words = await answer.json();
    } catch { /* a button without a name is better than none */ }
    host.lang = words.locale ?? '';
    panel.setAttribute('aria-label', words.title ?? '');
    if (frame) frame.title = words.title ?? '';
    label();
    // Who chatted before, or is known to the shop, may have news: the frame is loaded when the page has time.
    let before = null;
    try { before = localStorage.getItem(known); } catch { /* not known */ }
    if (before || identity) (window.requestIdleCallback ?? ((then) => setTimeout(then, 500)))(load);
  };
  if (document.body) start();
  else document.addEventListener('DOMContentLoaded', start);
})();
