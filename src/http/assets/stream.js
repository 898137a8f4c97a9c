// Server-sent events by fetch: unlike EventSource it can carry the token in a header, where no log sees it.
// Goes on after the last event that it saw.

class Stream {
  /** `on`: `message(json)`, `ready()`, `typing(on)`, `link(state)`, `gone()` when the token is no longer good. */
  constructor(url, token, on, last = '') {
    this.url = url;
    this.token = token;
    this.on = on;
    this.last = last;
    this.failures = 0;
    this.run();
  }

  stop() {
    this.stopped = true;
    this.abort?.abort();
    this.wake?.();
  }

  /** Do not wait for the timer. */
  kick() {
    this.wake?.();
  }

  async run() {
    while (!this.stopped) {
      this.on.link('connecting');
      try {
        if (await this.once() === 'gone') {
          if (!this.stopped) this.on.gone();
          return;
        }
      } catch { /* broken off: come again */ }
      if (this.stopped) return;
      this.failures += 1;
      this.on.link(navigator.onLine ? 'connecting' : 'offline');
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, backoff(this.failures - 1));
      });
      this.wake = null;
    }
  }

  async once() {
    this.abort = new AbortController();
    const headers = { Authorization: `Bearer ${this.token}`, Accept: 'text/event-stream' };
    if (this.last) headers['Last-Event-ID'] = this.last;
    const response = await fetch(`${this.url}?signals=1`, { headers, signal: this.abort.signal, cache: 'no-store' });
    if (response.status === 401 || response.status === 404) return 'gone';
    if (!response.ok) throw new Error(response.status);
    this.on.link('online');
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    let event = { type: 'message', id: null, data: [] };
    for (;;) {
      // The service pings every 20 s: a minute of silence is a dead line.
      const watchdog = setTimeout(() => this.abort.abort(), 60_000);
      const { value, done } = await reader.read().finally(() => clearTimeout(watchdog));
      if (done) return 'end';
      this.failures = 0;
      const lines = (rest + value).split('\n');
      rest = lines.pop();
      for (const raw of lines) {
        const line = raw.replace(/\r$/, '');
        if (line === '') {
          if (event.data.length) this.dispatch(event);
          event = { type: 'message', id: null, data: [] };
          continue;
        }
        const colon = line.indexOf(':');
        const field = colon < 0 ? line : line.slice(0, colon);
        const content = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
        if (field === 'data') event.data.push(content);
        else if (field === 'id') event.id = content;
        else if (field === 'event') event.type = content;
      }
    }
  }

  dispatch({ type, id, data }) {
    if (this.stopped) return;
    const json = JSON.parse(data.join('\n'));
    if (type === 'message') this.on.message(json);
    else if (type === 'ready') this.on.ready();
    else if (type === 'typing') this.on.typing(json.typing);
    if (id) this.last = id;
  }
}
