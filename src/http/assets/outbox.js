// What the buyer wrote and the service has not confirmed yet. Kept in the browser, sent in order, each under an id of its
// own, so that sending it twice changes nothing.

/** Storage that may be forbidden (private windows, frames): then it lives as long as the page. */
const keep = {
  fallback: new Map(),
  read(key) {
    try { return localStorage.getItem(key) ?? this.fallback.get(key) ?? null; } catch { return this.fallback.get(key) ?? null; }
  },
  write(key, value) {
    this.fallback.set(key, value);
    try { localStorage.setItem(key, value); } catch { /* the fallback has it */ }
  },
  drop(key) {
    this.fallback.delete(key);
    try { localStorage.removeItem(key); } catch { /* the fallback had it */ }
  },
  keys(prefix) {
    let all = [...this.fallback.keys()];
    try { all = all.concat(Object.keys(localStorage)); } catch { /* the fallback only */ }
    return [...new Set(all)].filter((key) => key.startsWith(prefix));
  },
};

/** `crypto.randomUUID` is missing on plain http. */
const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Doubles to half a minute, with half of it by chance: a restarted service is not stormed. */
const backoff = (failures) => Math.min(30_000, 1000 * 2 ** Math.min(failures, 5)) * (0.5 + Math.random() / 2);

class Outbox {
  /** `send(item)` resolves to `'sent'`, `'failed'` (never will) or a number: milliseconds to wait, 0 for our own backoff. */
  constructor(prefix, send, changed) {
    this.prefix = prefix;
    this.send = send;
    this.changed = changed;
    this.items = [];
    this.failures = 0;
    for (const key of keep.keys(prefix)) {
      try {
        this.items.push(JSON.parse(keep.read(key)));
      } catch { keep.drop(key); }
    }
    this.items.sort((a, b) => a.at - b.at);
  }

  add(said, label) {
    const last = this.items.at(-1)?.at ?? 0;
    const item = { id: newId(), said, label, at: Math.max(Date.now(), last + 1), state: 'waiting' };
    this.items.push(item);
    this.store(item);
    this.pump();
    return item;
  }

  store(item) {
    keep.write(this.prefix + item.id, JSON.stringify(item));
  }

  retry(id) {
    const item = this.items.find((one) => one.id === id);
    if (!item) return;
    item.state = 'waiting';
    this.store(item);
    this.changed(item);
    this.kick();
  }

  /** The stream brought it: nothing is left to do. */
  confirm(id) {
    this.items = this.items.filter((item) => item.id !== id);
    keep.drop(this.prefix + id);
  }

  clear() {
    for (const item of [...this.items]) this.confirm(item.id);
  }

  /** The network may be back: do not wait for the timer. */
  kick() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.pump();
  }

  async pump() {
    if (this.running || this.timer) return;
    this.running = true;
    for (let item; (item = this.items.find((one) => one.state === 'waiting'));) {
      const outcome = await this.send(item).catch(() => 0);
      if (typeof outcome === 'number') {
        this.failures += 1;
        this.timer = setTimeout(() => this.kick(), outcome || backoff(this.failures));
        break;
      }
      this.failures = 0;
      item.state = outcome;
      if (outcome === 'sent') keep.drop(this.prefix + item.id);
      else this.store(item);
      this.changed(item);
    }
    this.running = false;
  }
}
